import { errorCatalogue, isRecorded, type ErrorCode, type Retry } from './error-catalogue.ts';

const advice: Readonly<Record<Retry, string>> = { no: 'no', 'same-id': 'yes', 'new-id': 'yes, with a new request id' };

/** docs/errors.md, from the catalogue. */
export const errorPage = (): string => {
  const rows = Object.entries(errorCatalogue).map(
    ([code, row]) =>
      `| \`${code}\` | ${row.status} | \`${row.type}\` | ${advice[row.retry]} | ${isRecorded(code as ErrorCode) ? 'yes' : 'no'} | ${row.meaning} |`,
  );
  return `# Errors

Generated from \`src/gateway/error-catalogue.ts\`; a test fails when this page and the catalogue differ.

Over HTTP an error is \`{"error":{"message","type","param","code"}}\` with the status of the table, \`x-should-retry\` and, where a wait helps, \`retry-after\`.
In a stream that has begun it is a \`data: {"error":...}\` frame, and no \`data: [DONE]\` follows.
Over NATS it is \`{"type":"error","seq","attempt","request_id","code","message","param"?,"retry_after_ms"?}\` with the header \`Switchyard-Error: <code>\`.

*In the log*: the request was accepted, and its end is recorded as \`response.failed\` with this code. Of the others nothing is recorded.

| code | HTTP | type | does a retry help | in the log | meaning |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
};
