import { unreachable } from './exit-codes.ts';
import { startHint, type Located } from './locate.ts';

/** A call to one of the yard's HTTP faces. Nobody there is an error that says how to start; what comes back is the caller's to read. */
export const call = async (
  located: Located,
  face: 'http' | 'sql',
  path: string,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<Response> => {
  const { url, source } = located[face];
  try {
    return await fetch(`${url.replace(/\/+$/, '')}${path}`, init);
  } catch (error) {
    if (init.signal.aborted) throw error;
    throw unreachable(
      `expected ${faceNames[face]} at ${withoutCredentials(url)} (${source}), got ${reasonOf(error)}; ${startHint(located, `--${face}-url`)}`,
      error,
    );
  }
};

const faceNames = { http: 'the HTTP gateway', sql: 'the ClickHouse HTTP interface' } as const;

const withoutCredentials = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');

/** `fetch` wraps what the socket said. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  if (code === 'ECONNREFUSED') return 'a refused connection';
  return code ?? (error instanceof Error ? error.message : 'no answer');
};
