import type { RequestId, Tenant } from '../events/index.ts';

/**
 * Finished answers of requests that may be asked for again: those queued over NATS and those whose caller gave a request id. Kept for minutes,
 * outside the event log, so that a retry or a redelivery is given the answer that was recorded instead of a second one.
 */
export type AnswerStore = {
  /** Keeps the first answer of a request id; returns false when one is kept already. TransientError when the store cannot be reached. */
  readonly put: (tenant: Tenant, requestId: RequestId, body: Uint8Array) => Promise<boolean>;
  readonly get: (tenant: Tenant, requestId: RequestId) => Promise<Uint8Array | null>;
};
