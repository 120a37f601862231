import type { RecordedEvent, RecordedFeedback } from '../domain/routing/remembered.ts';
import type { Sequence, Tenant } from '../events/index.ts';

/**
 * A memory of the log that reaches further back than a router's ledger, and may lag behind the log. It is asked for what the ledger does not know, never on
 * the way of a request. Bounded in time; it does not throw because it is away: it answers null.
 */
export type RequestMemory = {
  /** For each request its events in the order of the log; none for one that was never heard of. */
  readonly eventsOf: (
    requests: readonly { readonly tenant: Tenant; readonly requestId: string }[],
  ) => Promise<readonly (readonly RecordedEvent[])[] | null>;
  /** Feedback within a stretch of the log, both ends included, that has neither revision nor rejection; in the order of the log, at most `limit`. */
  readonly unsettledFeedback: (stretch: {
    readonly from: Sequence;
    readonly to: Sequence;
    readonly limit: number;
  }) => Promise<readonly RecordedFeedback[] | null>;
};
