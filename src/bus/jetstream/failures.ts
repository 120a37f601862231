import { JetStreamApiError, type ApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { PermanentError, TransientError } from '../../errors.ts';

/** Error codes of the JetStream API that the yard tells apart. Everything else is taken for temporary: the server may be starting or electing. */
export const apiCodes = {
  insufficientResources: 10023,
  insufficientStorage: 10047,
  messageTooLarge: 10054,
  wrongLastSequence: 10071,
  wrongLastSequenceUnknown: 10164,
  storeFailed: 10077,
} as const;

const soonMs = 200;
const whenThereIsRoomMs = 2_000;

export const disconnected = (): TransientError =>
  new TransientError('bus-disconnected', 'expected a connection to NATS, there is none at the moment; nothing was sent', soonMs);

export const interrupted = (subject: string): TransientError =>
  new TransientError('bus-interrupted', `the connection to NATS broke before ${subject} was acknowledged; it may have been stored`, soonMs);

export const closed = (): TransientError => new TransientError('bus-closed', 'this connection to NATS has been closed', soonMs);

export const timedOut = (subject: string, timeoutMs: number): TransientError =>
  new TransientError(
    'bus-timeout',
    `expected an acknowledgement of ${subject} within ${timeoutMs} ms, got none; it may have been stored`,
    soonMs,
  );

export const noResponder = (subject: string): TransientError =>
  new TransientError(
    'bus-no-responder',
    `no stream takes ${subject}: JetStream is starting, or the streams of the yard are missing`,
    soonMs,
  );

export const tooLarge = (what: string, bytes: number, limitBytes: number): PermanentError =>
  new PermanentError('too-large', `expected at most ${limitBytes} bytes (max_payload of the server), ${what} has ${bytes}`);

/** The server answered a publication with an error. */
export const refused = (subject: string, error: ApiError): TransientError | PermanentError => {
  const message = `${subject}: ${error.description} (${error.err_code})`;
  switch (error.err_code) {
    case apiCodes.storeFailed:
    case apiCodes.insufficientResources:
    case apiCodes.insufficientStorage:
      return new TransientError('store-full', message, whenThereIsRoomMs);
    case apiCodes.messageTooLarge:
      return new PermanentError('too-large', message);
    default:
      return new TransientError('store-refused', message, soonMs);
  }
};

/** Puts the errors of the client library's own requests into our three kinds. */
export const asBusError = (error: unknown, what: string): Error => {
  if (error instanceof TransientError || error instanceof PermanentError) return error;
  if (error instanceof JetStreamApiError) return Object.assign(refused(what, error.apiError()), { cause: error });
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.InvalidSubjectError)
    return new PermanentError('bus-invalid', `${what}: ${error.message}`, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new TransientError('bus-unavailable', `${what}: ${message}`, soonMs, { cause: error });
};
