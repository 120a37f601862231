/**
 * Accepted requests, waiting for a worker. Each is handed to one worker at a time, and to another when that one dies or does not
 * say `working` for the acknowledgement wait.
 */
export type WorkQueue = {
  /** Durable once it resolves. Within the duplicate window the same id is stored once. TransientError when it cannot be stored or the queue is full. */
  readonly put: (item: WorkItem) => Promise<{ readonly sequence: number; readonly duplicate: boolean }>;
  /** Hands out items, at most `concurrency` unsettled at a time, until the signal aborts. Survives reconnects; re-creates a consumer that has gone or stalled. */
  readonly take: (options: { readonly concurrency: number; readonly signal: AbortSignal }) => AsyncIterable<TakenItem>;
};

export type WorkItem = {
  readonly subject: string;
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export type TakenItem = {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** 1 on the first delivery. */
  readonly delivery: number;
  readonly maxDeliveries: number;
  readonly sequence: number;
  /** Done: never deliver again. Resolves when the server has confirmed. */
  readonly done: () => Promise<void>;
  /** Deliver again after a while. */
  readonly again: (afterMs: number) => void;
  /** Still at it: starts the acknowledgement wait anew. */
  readonly working: () => void;
};
