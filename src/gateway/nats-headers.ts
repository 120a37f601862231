import type { RequestId } from '../events/index.ts';
import type { AnswerOrigin } from '../requests/answer.ts';

type Headers = Readonly<Record<string, string>>;

export const natsHeaders = {
  requestId: 'Switchyard-Request-Id',
  conversation: 'Switchyard-Conversation',
  reply: 'Switchyard-Reply',
  error: 'Switchyard-Error',
  arm: 'Switchyard-Arm',
  model: 'Switchyard-Model',
  cache: 'Switchyard-Cache',
  simulated: 'Switchyard-Simulated',
  repeated: 'Switchyard-Repeated',
  cacheControl: 'Cache-Control',
  traceparent: 'traceparent',
} as const;

/** Names are compared as HTTP does, whatever case the sender's library writes. */
export const headerOf = (headers: Headers, name: string): string | undefined => {
  const exact = headers[name];
  if (exact !== undefined) return exact;
  const lower = name.toLowerCase();
  return Object.entries(headers).find(([key]) => key.toLowerCase() === lower)?.[1];
};

export const originHeaders = (origin: AnswerOrigin): Headers => ({
  [natsHeaders.arm]: origin.arm,
  [natsHeaders.model]: origin.model,
  [natsHeaders.cache]: origin.cache,
  ...(origin.simulated ? { [natsHeaders.simulated]: 'true' } : {}),
  ...(origin.repeated === true ? { [natsHeaders.repeated]: 'true' } : {}),
});

/** The other way round, for a gateway that gets its answers over NATS. Null when the headers name no arm. */
export const originFrom = (headers: Headers, requestId: RequestId): AnswerOrigin | null => {
  const arm = headerOf(headers, natsHeaders.arm);
  const model = headerOf(headers, natsHeaders.model);
  const cache = headerOf(headers, natsHeaders.cache);
  if (arm === undefined || model === undefined) return null;
  return {
    requestId,
    arm,
    model,
    cache: cache === 'hit' || cache === 'miss' ? cache : 'bypass',
    simulated: headerOf(headers, natsHeaders.simulated) === 'true',
    repeated: headerOf(headers, natsHeaders.repeated) === 'true',
  };
};

const allowedReply = /^[^\s*>.]+(\.[^\s*>.]+)*$/;
const replyCharactersMax = 256;

/**
 * Whether the yard may publish answers there. The yard's own subjects and the server's are refused: whoever could name them as a reply
 * subject would have the gateway write into the event log for him.
 */
export const isReplySubject = (subject: string): boolean =>
  subject.length <= replyCharactersMax &&
  allowedReply.test(subject) &&
  !subject.startsWith('$') &&
  (!subject.startsWith('switchyard.') || subject.startsWith('switchyard.reply.'));
