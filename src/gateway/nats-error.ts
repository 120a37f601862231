import type { Messenger } from '../bus/messenger.ts';
import { errorCatalogue, type GatewayError } from './error-catalogue.ts';
import { natsHeaders } from './nats-headers.ts';
import { encodeJson, type ErrorMessage } from './nats-messages.ts';

export const errorMessage = (error: GatewayError, at: Pick<ErrorMessage, 'seq' | 'attempt' | 'request_id'>): ErrorMessage => ({
  type: 'error',
  ...at,
  code: error.code,
  message: error.message,
  ...(error.param === undefined ? {} : { param: error.param }),
  ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
});

export const publishRefusal = (messenger: Messenger, reply: string, requestId: string, error: GatewayError): void => {
  messenger.publish(reply, encodeJson(errorMessage(error, { seq: 1, request_id: requestId })), {
    [natsHeaders.error]: error.code,
    [natsHeaders.requestId]: requestId,
  });
};

/** To the publisher who waits as `js.publish()` does: in the form of JetStream's own errors, so that it rejects. The number is not one of JetStream's. */
export const refusedAcknowledgement = (error: GatewayError) => ({
  seq: 0,
  error: { code: errorCatalogue[error.code].status, err_code: 1, description: `${error.code}: ${error.message}` },
});
