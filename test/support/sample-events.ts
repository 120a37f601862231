import {
  cacheStored,
  makeEvent,
  responseCompleted,
  rewardRecorded,
  tenantSchema,
  type NonEmpty,
  type SwitchyardEvent,
} from '../../src/events/index.ts';
import { evidenceOf, filing } from '../domain/support/events.ts';

/** What a request leaves in the log when it is done: three events, about 2 kB, of one tenant. Equal numbers give equal events but for `pad`. */
export const sampleTenant = tenantSchema.parse('acme');

export const sampleBatch = (n: number, pad = ''): NonEmpty<SwitchyardEvent> => {
  const requestId = `request-${n}`;
  const context = (kind: string) => ({
    tenant: sampleTenant,
    requestId,
    source: `switchyard/test${pad === '' ? '' : `/${pad}`}`,
    timeMs: 1_790_000_000_000 + n,
    causationId: `decision-${n}`,
    id: `${kind}-${n}`,
  });
  const arm = { arm: 'careful', model: 'large-model' };
  return [
    makeEvent(responseCompleted, context('completed'), {
      ...arm,
      origin: 'provider',
      finishReason: 'stop',
      promptTokens: 120,
      completionTokens: 310,
      usageSource: 'provider',
      costNanoUsd: 123_456 + n,
      latencyMs: 1_234.5,
      firstTokenMs: 210.25,
      longestStallMs: 20,
      parts: 31,
      answerCharacters: 1_240,
      streamed: true,
      simulated: false,
    }),
    makeEvent(rewardRecorded, context('reward'), {
      ...arm,
      revision: 0,
      cause: 'completion',
      parts: { success: 1_000_000, streaming: 812_345, cache: 0, cost: 512_345 },
      weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
      rewardMicro: 664_938,
      ...filing,
      evidence: evidenceOf({ success: 1_000_000, streaming: 812_345, cache: 0, cost: 512_345 }),
    }),
    makeEvent(cacheStored, context('stored'), {
      ...arm,
      key: n.toString(16).padStart(32, '0'),
      tier: 'l1',
      bytes: 1_300,
      ttlMs: 300_000,
    }),
  ];
};
