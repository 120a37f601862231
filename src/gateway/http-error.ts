import { errorCatalogue, retryHelps, type GatewayError } from './error-catalogue.ts';

/** An error in OpenAI's shape. */
export const errorBody = ({ code, message, param }: GatewayError) => ({
  error: { message, type: errorCatalogue[code].type, param: param ?? null, code },
});

/** `x-should-retry` is what OpenAI's clients listen to: a status alone would make them repeat what cannot succeed. */
export const errorHeaders = (error: GatewayError, callerChoseId: boolean): Record<string, string> => ({
  'x-should-retry': String(retryHelps(error.code, callerChoseId)),
  ...(error.retryAfterMs === undefined
    ? {}
    : { 'retry-after': String(Math.ceil(error.retryAfterMs / 1_000)), 'retry-after-ms': String(error.retryAfterMs) }),
});
