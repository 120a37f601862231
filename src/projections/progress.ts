import type { Entry } from './batch-buffer.ts';
import { createRate } from './rate.ts';
import type { ProjectorStatus } from './status.ts';

/** What the projector notes about itself while it works; `status` reads it. */
export type Progress = {
  readonly opened: (at: { readonly epoch: number; readonly checkpoint: number; readonly checkpointStoredAtMs: number | null }) => void;
  readonly sawLog: (last: number) => void;
  /** A batch is about to be written. */
  readonly took: (batch: readonly Entry[]) => void;
  readonly wrote: (batch: readonly Entry[]) => void;
  readonly poisoned: () => void;
  readonly changed: (state: ProjectorStatus['state'], fault: string | null) => void;
  readonly checkpoint: () => number;
  readonly batchesWritten: () => number;
  /** `fault` and `oldestWaitingMs` are of this moment: what keeps the writer, and what the reader has in hand. */
  readonly status: (now: { readonly writeFault: string | null; readonly oldestWaitingMs: number | null }) => ProjectorProgress;
};

export type ProjectorProgress = Omit<ProjectorStatus, 'sqlUrl' | 'database'>;

const rateWindowMs = 10_000;

export const createProgress = (): Progress => {
  const rate = createRate(rateWindowMs);
  let state: ProjectorStatus['state'] = 'starting';
  let fault: string | null = null;
  let epoch = 0;
  let checkpoint = 0;
  let checkpointStoredAtMs: number | null = null;
  let oldestInHandMs: number | null = null;
  let logLast = 0;
  let rowsWritten = 0;
  let batchesWritten = 0;
  let poisonMessages = 0;

  return {
    opened: (at) => {
      ({ epoch, checkpoint, checkpointStoredAtMs } = at);
      oldestInHandMs = null;
    },
    sawLog: (last) => {
      logLast = last;
    },
    took: (batch) => {
      oldestInHandMs = batch[0]?.storedAtMs ?? null;
    },
    wrote: (batch) => {
      const last = batch.at(-1);
      if (last === undefined) return;
      checkpoint = last.sequence;
      checkpointStoredAtMs = last.storedAtMs;
      oldestInHandMs = null;
      const rows = batch.reduce((sum, entry) => sum + entry.rows, 0);
      rowsWritten += rows;
      batchesWritten += 1;
      rate.add(rows, Date.now());
    },
    poisoned: () => {
      poisonMessages += 1;
    },
    changed: (newState, newFault) => {
      state = newState;
      fault = newFault;
    },
    checkpoint: () => checkpoint,
    batchesWritten: () => batchesWritten,
    status: ({ writeFault, oldestWaitingMs }) => {
      const nowMs = Date.now();
      const lagMessages = Math.max(0, logLast - checkpoint);
      // Between two looks at the log nothing may be known of the oldest missing message; the last one written is older than it.
      const oldestMissingMs = oldestInHandMs ?? oldestWaitingMs ?? (lagMessages > 0 ? checkpointStoredAtMs : null);
      return {
        state: state === 'following' && writeFault !== null ? 'waiting-for-clickhouse' : state,
        epoch,
        checkpoint,
        logLast: Math.max(logLast, checkpoint),
        lagMessages,
        lagMs: oldestMissingMs === null ? 0 : Math.max(0, nowMs - oldestMissingMs),
        rowsPerSecond: rate.perSecond(nowMs),
        rowsWritten,
        batchesWritten,
        poisonMessages,
        fault: writeFault ?? fault,
      };
    },
  };
};
