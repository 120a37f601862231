import { unreachable } from './exit-codes.ts';
import { startHint, type Located } from './locate.ts';

/** One of the yard's HTTP faces: the gateway, or ClickHouse. */
type Face = 'http' | 'sql';

export const call = (located: Located, face: Face, path: string, init: RequestInit): Promise<Response> =>
  send(located, face, requestTo(located, face, path, init));

/** The first one of a process loads Node's HTTP client, which takes 100 ms: whoever measures begins after it. */
export const requestTo = (located: Located, face: Face, path: string, init: RequestInit): Request =>
  new Request(`${located[face].url.replace(/\/+$/, '')}${path}`, init);

/** Nobody there is an error that says how to start; what comes back is the caller's to read. */
export const send = async (located: Located, face: Face, request: Request): Promise<Response> => {
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    const { url, source } = located[face];
    throw unreachable(
      `expected ${faceNames[face]} at ${url} (${source}), got ${reasonOf(error)}; ${startHint(located, `--${face}-url`)}`,
      error,
    );
  }
};

const faceNames = { http: 'the HTTP gateway', sql: 'the ClickHouse HTTP interface' } as const satisfies Record<Face, string>;

/** `fetch` wraps what the socket said. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  if (code === 'ECONNREFUSED') return 'a refused connection';
  return code ?? (error instanceof Error ? error.message : 'no answer');
};
