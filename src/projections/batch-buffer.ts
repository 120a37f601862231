/**
 * What lies between the reader of the log and the writer of the table: one batch that is being filled. The reader waits while it is full, so that memory stays
 * bounded when ClickHouse is away; the writer takes it when it is full or has waited long enough. One reader, one writer.
 */
export type Entry = { readonly sequence: number; readonly storedAtMs: number; readonly rows: number; readonly lines: string };

export type BatchLimits = { readonly rows: number; readonly bytes: number; readonly waitMs: number };

export type BatchBuffer = {
  /** Resolves at once while there is room; otherwise when the writer has taken the batch. */
  readonly put: (entry: Entry) => Promise<void> | undefined;
  /** The next batch, never empty; null after `end`. */
  readonly take: () => Promise<readonly Entry[] | null>;
  /** What waits is dropped, whoever waits is woken. */
  readonly end: () => void;
  readonly waiting: () => { readonly entries: number; readonly oldestStoredAtMs: number | null };
};

export const createBatchBuffer = (limits: BatchLimits): BatchBuffer => {
  let batch: Entry[] = [];
  let rows = 0;
  let bytes = 0;
  let due = false;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let wakeWriter: (() => void) | undefined;
  let wakeReader: (() => void) | undefined;

  const full = () => rows >= limits.rows || bytes >= limits.bytes;
  const clear = () => {
    clearTimeout(timer);
    batch = [];
    rows = 0;
    bytes = 0;
    due = false;
    wakeReader?.();
  };
  return {
    put: (entry) => {
      if (ended) return undefined;
      batch.push(entry);
      rows += entry.rows;
      bytes += entry.lines.length;
      if (batch.length === 1)
        timer = setTimeout(() => {
          due = true;
          wakeWriter?.();
        }, limits.waitMs);
      if (!full()) return undefined;
      wakeWriter?.();
      return new Promise((resolve) => {
        wakeReader = resolve;
      });
    },
    take: async () => {
      while (!ended && !full() && !due)
        await new Promise<void>((resolve) => {
          wakeWriter = resolve;
        });
      if (ended) return null;
      const taken = batch;
      clear();
      return taken;
    },
    end: () => {
      ended = true;
      clear();
      wakeWriter?.();
    },
    waiting: () => ({ entries: batch.length, oldestStoredAtMs: batch[0]?.storedAtMs ?? null }),
  };
};
