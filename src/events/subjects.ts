import type { SwitchyardEvent } from './catalogue.ts';
import type { Tenant } from './identifiers.ts';

/**
 * The subjects of the yard. No request id is ever in the subject of a stream of events: cardinality stays that of tenants times types.
 * A message that holds several events carries the subject of the first.
 */
export const subjects = {
  /** Requests from upstream, plain NATS: the gateway validates, queues and answers on the reply subject. */
  request: (tenant: Tenant | '*') => `switchyard.request.${tenant}`,
  feedback: (tenant: Tenant | '*') => `switchyard.feedback.${tenant}`,
  /** Accepted requests in the work queue. */
  work: (tenant: Tenant | '*') => `switchyard.work.${tenant}`,
  /** Tells the workers that a caller has gone: `{"request_id","reply"}`. */
  cancel: 'switchyard.cancel',
  /** Where answers for a gateway without workers of its own arrive. */
  reply: (instance: string, token: string) => `switchyard.reply.${instance}.${token}`,
  event: (event: Pick<SwitchyardEvent, 'tenant' | 'type'>) => `switchyard.event.${event.tenant}.${event.type}`,
  allEvents: 'switchyard.event.>',
  dead: (reason: string) => `switchyard.dead.${reason}`,
  allDead: 'switchyard.dead.>',
  /** Core request and reply between actors that live in different processes. */
  actor: (role: string) => `switchyard.actor.${role}`,
  /** Asks one process whether it lives and what it is working on. */
  host: (instance: string) => `switchyard.host.${instance}`,
} as const;

/** Ids that make an append idempotent. JetStream compares them stream-wide and never looks at the payload, so each names tenant and concern. */
export const idempotencyIds = {
  decision: (tenant: Tenant, requestId: string) => `${tenant}:route:${requestId}`,
  outcome: (tenant: Tenant, requestId: string) => `${tenant}:outcome:${requestId}`,
  revision: (tenant: Tenant, requestId: string, revision: number) => `${tenant}:reward:${requestId}:${revision}`,
  /** Both ids may hold a colon, so that one would not tell where the first ends. */
  feedback: (tenant: Tenant, requestId: string, feedbackId: string) => `${tenant}:feedback:${requestId}|${feedbackId}`,
  rejection: (tenant: Tenant, feedbackEventId: string) => `${tenant}:feedback-rejected:${feedbackEventId}`,
  /** Each change of policy has a number: of two that would make the same one, the first stands. */
  policyChange: (change: number) => `_system:policy:${change}`,
  pace: (tenant: Tenant, step: number) => `${tenant}:pace:${step}`,
  shadow: (tenant: Tenant, requestId: string) => `${tenant}:shadow:${requestId}`,
  shadowBlock: (windowStartMs: number, block: number) => `_system:shadow:${windowStartMs}:${block}`,
  shadowSkips: (tenant: Tenant, host: string, count: number) => `${tenant}:shadow-skips:${host}:${count}`,
} as const;
