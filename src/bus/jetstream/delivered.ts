import type { Msg } from '@nats-io/transport-node';

/** A stream message as a consumer hands it out. What the server says about it stands in the reply subject. */
export type Delivered = {
  readonly message: Msg;
  /** 1 on the first delivery. */
  readonly delivery: number;
  readonly sequence: number;
  /** Position in what this consumer delivered, from 1: a gap here is a message lost on the way. */
  readonly consumerSequence: number;
  readonly storedAtMs: number;
  /** What the consumer has left to deliver. */
  readonly pending: number;
};

const nanosInMs = 1e6;
const withoutDomainTokens = 9;

/**
 * `$JS.ACK.<stream>.<consumer>.<delivery>.<sequence>.<consumer sequence>.<stored at, ns>.<pending>`, or the same with domain and account
 * before the stream and a random token at the end.
 */
export const parseDelivery = (message: Msg): Delivered => {
  const tokens = (message.reply ?? '').split('.');
  const first = tokens.length === withoutDomainTokens ? 4 : 6;
  const number = (index: number): number => Number(tokens[first + index]);
  return {
    message,
    delivery: number(0),
    sequence: number(1),
    consumerSequence: number(2),
    storedAtMs: Math.floor(number(3) / nanosInMs),
    pending: number(4),
  };
};
