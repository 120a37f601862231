import type { Msg } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { parseDelivery } from '../../src/bus/jetstream/delivered.ts';

const parse = (reply: string) => {
  const { message: _, ...rest } = parseDelivery({ reply } as Msg);
  return rest;
};
const expected = { delivery: 2, sequence: 345, consumerSequence: 67, storedAtMs: 1_790_000_000_123, pending: 8 };

test('reads the reply subject of a delivery, as short as servers write it and as long as they may', () => {
  expect(parse('$JS.ACK.STREAM.consumer.2.345.67.1790000000123456789.8')).toEqual(expected);
  expect(parse('$JS.ACK.hub.ACCOUNT.STREAM.consumer.2.345.67.1790000000123456789.8.random')).toEqual(expected);
  expect(parse('$JS.ACK._.ACCOUNT.STREAM.consumer.2.345.67.1790000000123456789.8')).toEqual(expected);
});
