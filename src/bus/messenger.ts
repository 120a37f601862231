/** Messages that need not survive: chunks of answers, questions between actors. Core NATS, at most once. */
export type Messenger = {
  /** Throws PermanentError when the message cannot be sent as it is (`too-large`, `bus-invalid`). Without a connection it is dropped. */
  readonly publish: (subject: string, body: Uint8Array, headers?: Readonly<Record<string, string>>) => void;
  /** Resolves when all that was published has reached the server. Throws TransientError when it cannot be known. */
  readonly flush: () => Promise<void>;
  /**
   * Answer of the one who serves the subject; `no-responder` at once when nobody does, `timeout` when nobody answered in time. Throws TransientError
   * when there is no connection: that says nothing about whoever was asked.
   */
  readonly ask: (subject: string, body: Uint8Array, options: { readonly timeoutMs: number }) => Promise<Asked>;
  /** Receives messages until the subscription is closed. With a queue name each message goes to one of the members. The handler must not throw. */
  readonly subscribe: (subject: string, handler: (message: IncomingMessage) => void, options?: { readonly queue?: string }) => Subscription;
};

export type Asked =
  | { readonly kind: 'answer'; readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'no-responder' }
  | { readonly kind: 'timeout' };

export type IncomingMessage = {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly reply: string | undefined;
  /** The sender's `Nats-Msg-Id`: headers of the server's own are not among `headers`. */
  readonly messageId?: string | undefined;
};

export type Subscription = {
  /** Resolves once the server knows of the subscription. */
  readonly ready: Promise<void>;
  readonly close: () => Promise<void>;
};
