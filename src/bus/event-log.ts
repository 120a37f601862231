import type { Checks, NonEmpty, Sequence, SwitchyardEvent } from '../events/index.ts';

/**
 * The event log as a port. Implementations are held to one contract suite (test/contracts/event-log.ts).
 *
 * 1. What `append` acknowledged is in the log, whole: all events of one append are one message with one sequence.
 * 2. Within the log's duplicate window a second append with the same idempotency id stores nothing and answers `duplicate` with the first sequence.
 * 3. Sequences grow by one for each message, from 1. A reader meets them in order, without gaps between `first` and `last`.
 * 4. A message that cannot be understood is handed to the reader as `poison`: it never stops a reader and never disappears.
 */
export type EventLog = {
  /**
   * Throws TransientError when the log cannot be reached, does not acknowledge in time (it may have been stored all the same: append again with the
   * same id) or is full. Throws PermanentError `too-large` when the events do not fit into one message.
   */
  readonly append: (events: NonEmpty<SwitchyardEvent>, options: AppendOptions) => Promise<Appended>;
  /**
   * Reads from..to, both included; `to` defaults to the last message at the time of the call. Goes on after a short break of the connection; throws
   * TransientError when the log stays away.
   */
  readonly read: (range: ReadRange & { readonly to?: Sequence; readonly signal?: AbortSignal }) => AsyncIterable<LogEntry>;
  /**
   * Like read, and goes on with what is appended later until the signal aborts. Survives reconnects without loss or repetition. Throws InvariantError when the
   * log is found to be another one than was read so far (its tail was lost, or it was made again): what was built on it has to be built again.
   */
  readonly follow: (range: ReadRange & FollowOptions) => AsyncIterable<LogEntry>;
  /** One message, or null when the log does not hold it. */
  readonly at: (sequence: Sequence) => Promise<LogEntry | null>;
  /** The first sequence appended at or after this time, or null when there is none. */
  readonly sequenceAt: (timeMs: number) => Promise<Sequence | null>;
  readonly bounds: () => Promise<LogBounds>;
};

export type FollowOptions = {
  readonly signal: AbortSignal;
  /** For a reader that works in batches anyway: messages may wait so long and come together, which costs everybody less than one by one. */
  readonly gatherMs?: number;
};

export type ReadRange = {
  readonly from: Sequence;
  /** `all` unless told otherwise. */
  readonly checks?: Checks;
};

export type AppendOptions = {
  readonly idempotencyId: string;
  /** When given, the append is refused with `conflict` unless this is the last sequence of the log. */
  readonly expectedLastSequence?: Sequence;
  readonly timeoutMs?: number;
};

export type Appended =
  | { readonly kind: 'appended'; readonly sequence: Sequence }
  | { readonly kind: 'duplicate'; readonly sequence: Sequence }
  | { readonly kind: 'conflict' };

export type LogEntry =
  | { readonly kind: 'events'; readonly sequence: Sequence; readonly storedAtMs: number; readonly events: NonEmpty<SwitchyardEvent> }
  | {
      readonly kind: 'poison';
      readonly sequence: Sequence;
      readonly storedAtMs: number;
      readonly subject: string;
      readonly reason: string;
      readonly detail: string;
      readonly body: Uint8Array;
    };

/** `createdAt` identifies the log: one that was deleted and made again is another log. An empty log has first 1 and last 0. */
export type LogBounds = { readonly first: Sequence; readonly last: Sequence; readonly createdAt: string };
