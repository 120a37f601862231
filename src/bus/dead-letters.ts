/** What could not be handled, with the reason and the body, for a person to look at. */
export type DeadLetters = {
  /** Durable once it resolves; the same id is stored once within the duplicate window. */
  readonly put: (letter: DeadLetter) => Promise<void>;
  readonly list: (options: {
    readonly limit: number;
  }) => Promise<readonly (DeadLetter & { readonly sequence: number; readonly storedAtMs: number })[]>;
};

export type DeadLetter = {
  /** Lower case words joined by hyphens; becomes the last token of the subject. */
  readonly reason: string;
  readonly detail: string;
  /** Where it came from: a stream or subject, and the sequence there when it has one. */
  readonly origin: string;
  readonly originSequence?: number;
  readonly id: string;
  readonly body: Uint8Array;
};
