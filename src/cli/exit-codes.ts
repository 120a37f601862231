/** What the command line tells its caller. Documented in docs/cli.md; never renumbered. */
export const exitCodes = {
  ok: 0,
  /** A check failed, or a request was not answered. */
  failed: 1,
  /** A flag, a file, a statement, a disk that is full: something that the caller can put right. */
  usage: 2,
  /** The yard, or the part of it that is needed, is not running or not reachable. */
  unreachable: 3,
  /** A mistake of Switchyard itself. */
  internal: 70,
  /** The terminal is gone: 128 + SIGHUP. */
  hungUp: 129,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with one sentence that says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usageError = (message: string, cause?: unknown): CommandError => new CommandError(exitCodes.usage, message, { cause });

export const unreachable = (message: string, cause?: unknown): CommandError => new CommandError(exitCodes.unreachable, message, { cause });
