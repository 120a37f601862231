/** How the projection stands, for people, for `readyz` and for whoever waits until it has caught up. */
export type ProjectorStatus = {
  readonly state: 'starting' | 'following' | 'waiting-for-clickhouse' | 'waiting-for-log' | 'closed';
  /** Epoch of the log that rows are written in; 0 before the first look. */
  readonly epoch: number;
  /** Last sequence that is in the table. */
  readonly checkpoint: number;
  /** Last sequence of the log, as of the last look at it (every second). */
  readonly logLast: number;
  readonly lagMessages: number;
  /** Age of the oldest message that is known to be missing from the table; 0 when none is. */
  readonly lagMs: number;
  /** Mean of the last ten seconds. */
  readonly rowsPerSecond: number;
  /** Since this process started. */
  readonly rowsWritten: number;
  readonly batchesWritten: number;
  readonly poisonMessages: number;
  /** Why it does not go on, in words; null when it does. */
  readonly fault: string | null;
  /** Where SQL is answered: the read-only interface of this process, or the server. */
  readonly sqlUrl: string;
  readonly database: string;
};
