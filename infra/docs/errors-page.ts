import { errorCatalogue, isRecorded, type ErrorCode, type Retry } from '../../src/gateway/error-catalogue.ts';
import { code, generatedMark, table } from './markdown.ts';

/** docs/errors.md, from the catalogue. */
export const errorsPage = (): string =>
  [
    generatedMark,
    '# Errors',
    introduction,
    table(
      ['code', 'HTTP', 'type', 'does a retry help', 'in the log', 'meaning'],
      codes.map((name) => {
        const { status, type, retry, meaning } = errorCatalogue[name];
        return [code(name), String(status), code(type), advice[retry], isRecorded(name) ? 'yes' : 'no', meaning];
      }),
    ),
    '',
  ].join('\n\n');

const codes = Object.keys(errorCatalogue) as ErrorCode[];

const advice: Readonly<Record<Retry, string>> = { no: 'no', 'same-id': 'yes', 'new-id': 'yes, with a new request id' };

const introduction = [
  'Over HTTP an error is `{"error":{"message","type","param","code"}}` with the status of the table, `x-should-retry` and, where a wait helps, `retry-after`.',
  'In a stream that has begun it is a `data: {"error":...}` frame, and no `data: [DONE]` follows.',
  'Over NATS it is `{"type":"error","seq","attempt"?,"request_id","code","message","param"?,"retry_after_ms"?}` with the header `Switchyard-Error: <code>`.',
  '',
  '_In the log_: the request was accepted, and its end is recorded as `response.failed` with this code. Of the others nothing is recorded.',
].join('\n');
