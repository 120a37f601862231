import { failureCodeSchema } from '../events/index.ts';
import type { AnswerErrorCode } from '../requests/answer.ts';

/**
 * Every code that a caller can meet, over HTTP and over NATS. docs/errors.md is generated from here, a test holds the two together.
 * Codes are for programs and never change their meaning; messages are for people and say what was expected and what was seen.
 */
export type RefusalCode =
  | 'invalid_json'
  | 'invalid_utf8'
  | 'nested_too_deep'
  | 'prompt_too_long'
  | 'invalid_request'
  | 'invalid_request_id'
  | 'feedback_id_reused'
  | 'unknown_tenant'
  | 'no_reply_subject'
  | 'reply_too_large'
  | 'unsupported_media_type'
  | 'not_found'
  | 'method_not_allowed'
  | 'malformed_http'
  | 'headers_too_large'
  | 'request_timeout'
  | 'internal';

export type ErrorCode = AnswerErrorCode | RefusalCode;

export type GatewayError = {
  readonly code: ErrorCode;
  readonly message: string;
  /** The field or header that is at fault, as OpenAI writes it: `messages[0].role`. */
  readonly param?: string | undefined;
  readonly retryAfterMs?: number | undefined;
};

/** no: the same request fails again. same-id: nothing was recorded, come again. new-id: the request is closed in the log, another may succeed. */
export type Retry = 'no' | 'same-id' | 'new-id';

export type ErrorRow = {
  /** 499 is nginx's: the client closed the request. */
  readonly status: number;
  readonly type: 'invalid_request_error' | 'permission_error' | 'rate_limit_error' | 'server_error';
  readonly retry: Retry;
  readonly meaning: string;
};

const invalid = (status: number, meaning: string): ErrorRow => ({ status, type: 'invalid_request_error', retry: 'no', meaning });
const server = (status: number, retry: Retry, meaning: string): ErrorRow => ({ status, type: 'server_error', retry, meaning });

export const errorCatalogue: { readonly [Code in ErrorCode]: ErrorRow } = {
  invalid_json: invalid(400, 'The body is not JSON.'),
  invalid_utf8: invalid(400, 'The body holds bytes that are not UTF-8.'),
  nested_too_deep: invalid(400, 'Objects and lists are nested deeper than `requests.jsonDepth`.'),
  body_too_large: invalid(413, 'The body is larger than `http.bodyLimitBytes`, or than the NATS server lets through.'),
  prompt_too_long: invalid(413, 'The text of all messages is longer than `requests.promptCharacters`.'),
  invalid_request: invalid(400, 'A field is missing or has the wrong type; `param` names it.'),
  invalid_request_id: invalid(400, 'The request id has characters or a length that are not allowed.'),
  feedback_id_reused: invalid(409, 'The id belongs to another judgement of this request: same id, other content. The first one counts.'),
  model_not_found: invalid(404, 'The model is neither `auto` nor a model or arm of the configuration; `GET /v1/models` lists them.'),
  unknown_tenant: { status: 403, type: 'permission_error', retry: 'no', meaning: 'The tenant is not in the configuration.' },
  no_reply_subject: invalid(
    400,
    'Over NATS: there is no subject to answer on, or one that is not allowed. The message is kept as a dead letter, since nobody can be told.',
  ),
  unsupported_media_type: invalid(415, 'The body is not `application/json`, or is compressed.'),
  not_found: invalid(404, 'There is nothing at this address.'),
  method_not_allowed: invalid(405, 'The address exists, but not for this method; `Allow` lists the methods.'),
  malformed_http: invalid(400, 'The bytes are not an HTTP request.'),
  headers_too_large: invalid(431, 'The header fields are larger than the server takes.'),
  request_timeout: {
    status: 408,
    type: 'invalid_request_error',
    retry: 'same-id',
    meaning: 'The request did not arrive in whole in time.',
  },
  request_id_reused: invalid(422, 'The request id belongs to another request: same id, other content.'),
  already_answered: {
    status: 410,
    type: 'invalid_request_error',
    retry: 'new-id',
    meaning: 'The request was answered before, and its answer is no longer kept (`requests.answersKeptSeconds`).',
  },
  no_candidate: invalid(400, 'No arm can take the request: all are disabled, too small for the prompt or not the ones asked for.'),
  provider_refused: invalid(400, 'The provider refused the request, for example a parameter that it does not know.'),
  provider_rate_limited: { status: 429, type: 'rate_limit_error', retry: 'new-id', meaning: 'The provider has had too many requests.' },
  provider_error: server(502, 'new-id', 'The provider answered with an error.'),
  provider_unavailable: server(503, 'new-id', 'The provider could not be reached.'),
  provider_timeout: server(504, 'new-id', 'The provider did not answer, or stopped answering, within the deadlines.'),
  answer_truncated: server(502, 'new-id', 'The answer ended before it was whole.'),
  answer_too_large: server(502, 'no', 'The answer is larger than `requests.answerBytes`.'),
  reply_too_large: server(
    502,
    'no',
    'Over NATS: the answer is whole and recorded, and does not fit into one message. The same request id with `"stream": true` gets it in pieces.',
  ),
  cancelled: { status: 499, type: 'invalid_request_error', retry: 'new-id', meaning: 'The caller went away before the answer was whole.' },
  interrupted: server(502, 'new-id', 'The process that answered has gone, and the request was closed after its deadline.'),
  overloaded: server(503, 'same-id', 'Too many requests are under way in this process.'),
  unavailable: server(
    503,
    'same-id',
    'The event log or the queue cannot be reached. With a request id of your own it is answered once, however often you try.',
  ),
  internal: server(500, 'same-id', 'A mistake of the yard itself; the log of the process has the details under the request id.'),
};

/** True when the log holds a `response.failed` with this code. */
export const isRecorded = (code: ErrorCode): boolean => failureCodeSchema.safeParse(code).success;

/** Whether the very same call, with the same id when the caller chose one, may succeed. */
export const retryHelps = (code: ErrorCode, callerChoseId: boolean): boolean => {
  const { retry } = errorCatalogue[code];
  return retry === 'same-id' || (retry === 'new-id' && !callerChoseId);
};
