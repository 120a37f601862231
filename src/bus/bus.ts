import type { Agreement } from './agreement.ts';
import type { AnswerStore } from './answer-store.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { EventLog } from './event-log.ts';
import type { Messenger } from './messenger.ts';
import type { WorkQueue } from './work-queue.ts';

/** Everything that the yard's parts use to reach each other. One connection; `close` drains it. */
export type Bus = {
  readonly log: EventLog;
  readonly requests: WorkQueue;
  readonly dead: DeadLetters;
  readonly answers: AnswerStore;
  /** The key of hashes that all processes share; see processes/shared-hash-key.ts. */
  readonly hashKey: Agreement;
  readonly messenger: Messenger;
  readonly status: () => BusStatus;
  /** Called at each change of the status; returns the function that ends it. */
  readonly onStatus: (listener: (status: BusStatus) => void) => () => void;
  readonly close: () => Promise<void>;
};

export type BusStatus =
  { readonly kind: 'connected' } | { readonly kind: 'reconnecting'; readonly sinceMs: number } | { readonly kind: 'closed' };
