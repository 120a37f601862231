import type { ProviderError } from '../provider.ts';
import { errorSchema, parseJson } from './wire.ts';

/**
 * From what a provider or the connection says to the codes of the port. A detail repeats of the provider's words only the `type` and `code` of an
 * error, and neither if it looks like anything but an identifier or occurs in what was sent: no prompt, answer or key gets into a detail.
 */
export type Sent = { readonly body: string; readonly apiKey: string | undefined };

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export const statusError = (status: number, headers: Headers, body: string, sent: Sent, nowMs: number): ProviderError => {
  const words = errorWords(errorOf(parseJson(body)), sent);
  const retryAfterMs = retryAfter(headers, nowMs);
  return {
    code: codeOfStatus(status),
    detail: status >= 300 && status < 400 ? `answered ${status}: redirects are not followed` : `answered ${status}${words}`,
    httpStatus: status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
};

/** An error that arrives in an answer of status 200. Some providers give the status that it would have had as its code. */
export const reportedError = (error: unknown, sent: Sent): ProviderError => {
  const { type, code } = errorSchema.catch({ type: null, code: null }).parse(error);
  const status = Number(code);
  return {
    code:
      status >= 400 && status < 600
        ? codeOfStatus(status)
        : (codeOfType.get(type ?? '') ?? codeOfType.get(String(code)) ?? 'provider_error'),
    detail: `reported an error in its answer${errorWords(error, sent)}`,
  };
};

/** The connection failed before the provider had answered. */
export const connectionError = (error: unknown): ProviderError => {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined) return { code: 'provider_error', detail: `unexpected ${error instanceof Error ? error.name : typeof error}` };
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
    return { code: 'provider_unavailable', detail: 'the provider was closed here' };
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW')
    return { code: 'provider_error', detail: `did not answer in HTTP: ${code}` };
  if (code === 'UND_ERR_INVALID_ARG') return { code: 'provider_error', detail: 'the request could not be put into HTTP' };
  return { code: 'provider_unavailable', detail: `the connection failed: ${code}` };
};

const codeOfStatus = (status: number): ProviderError['code'] => {
  if (status === 429) return 'provider_rate_limited';
  // 529 is how some providers say that they are overloaded.
  if ([408, 425, 502, 503, 504, 529].includes(status)) return 'provider_unavailable';
  return status >= 400 && status < 500 ? 'provider_refused' : 'provider_error';
};

const codeOfType: ReadonlyMap<string, ProviderError['code']> = new Map([
  ['rate_limit_error', 'provider_rate_limited'],
  ['rate_limit_exceeded', 'provider_rate_limited'],
  ['overloaded_error', 'provider_unavailable'],
  ['invalid_request_error', 'provider_refused'],
]);

const errorOf = (body: unknown): unknown => (typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined);

const errorWords = (error: unknown, { body, apiKey }: Sent): string => {
  const { type, code } = errorSchema.catch({ type: null, code: null }).parse(error);
  const words = [type, code]
    .filter((word) => word !== null && word !== undefined)
    .map(String)
    .filter(
      (word) =>
        /^[A-Za-z0-9_.-]{1,64}$/.test(word) && !body.includes(word) && !(apiKey ?? '').includes(word) && !(apiKey && word.includes(apiKey)),
    );
  return words.length === 0 ? '' : ` (${[...new Set(words)].join(', ')})`;
};

const longestRetryAfterMs = 86_400_000;

/** `retry-after-ms`, or `retry-after` in seconds or as a date. */
const retryAfter = (headers: Headers, nowMs: number): number | undefined => {
  const milliseconds = numberIn(headers['retry-after-ms']);
  const seconds = numberIn(headers['retry-after']);
  const given = headers['retry-after'];
  const date = typeof given === 'string' ? Date.parse(given) - nowMs : NaN;
  const ms = milliseconds ?? (seconds === undefined ? date : seconds * 1_000);
  return Number.isNaN(ms) ? undefined : Math.round(Math.min(Math.max(ms, 0), longestRetryAfterMs));
};

const numberIn = (header: string | string[] | undefined): number | undefined =>
  typeof header === 'string' && /^\d+(\.\d+)?$/.test(header) ? Number(header) : undefined;
