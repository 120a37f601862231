/**
 * Three kinds of error, so that the type says what to do: permanent (dead letter or refuse), transient (again, after a while),
 * invariant (the actor's state is wrong: rebuild it). Told apart by class, never by text.
 */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export class TransientError extends Error {
  override readonly name = 'TransientError';
  readonly code: string;
  readonly retryAfterMs: number;
  constructor(code: string, message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}
