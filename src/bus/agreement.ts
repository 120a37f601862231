/** One small value that all processes on this bus share. The first that is offered stands, for the life of the bus. */
export type Agreement = {
  /** Gives back the value that stands: this one, or that of whoever came first. Throws TransientError when it cannot be asked for. */
  readonly offer: (value: Uint8Array) => Promise<Uint8Array>;
};
