import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tenantSchema } from '../../../../src/events/index.ts';
import type { LogOrigin } from '../../../../src/replay/interchange/log-format.ts';
import type { LoggedDecision } from '../../../../src/replay/logged/logged-decision.ts';

/** Records of both kinds, each a little different from the others. */
const weights = { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 };
const tenant = tenantSchema.parse('acme');
const startMs = Date.parse('2026-05-01T09:00:00.123Z');
const arms = ['small', 'large "x"', 'naïve,\n3'] as const;

export const requestRecord = (i: number): LoggedDecision => {
  const arm = arms[i % 3] ?? 'small';
  const propensity = [0.7, 0.2, 0.1][i % 3] ?? 0.1;
  return {
    id: `acme/request-${i}`,
    atMs: startMs + 1_001 * i,
    tenant,
    cluster: i % 2 === 0 ? `acme/request-${i}` : '0123456789abcdef0123456789abcdef',
    policy: `thompson ${i % 2}`,
    arm,
    propensity,
    candidates: { arms, propensities: [0.7, 0.2, 0.1] },
    cells: ['all', 'kind:translation'],
    context: {
      kind: 'request',
      input: {
        tenant,
        requestedModel: 'auto',
        features:
          i % 5 === 4
            ? {
                version: 1,
                promptCharacters: 7 + i,
                promptTokensEstimate: 2,
                messageCount: 1,
                lastMessageCharacters: 7,
                hasCode: true,
                hasMathematics: false,
                isQuestion: true,
              }
            : {
                version: 2,
                tenant,
                promptCharacters: 10 + i,
                promptTokensEstimate: 3,
                messageCount: 2,
                conversationDepth: 1,
                hasSystemPrompt: true,
                lastMessageCharacters: 9,
                hasCode: false,
                hasMathematics: true,
                isQuestion: false,
                language: 'de',
                kind: 'translation',
                complexity: 0.123,
                requestedTokens: 64,
                requestedFormat: 'json',
                opening: 255,
                ending: 0,
                system: i % 2 === 0 ? null : 63,
              },
        maxOutputTokens: 64,
        needs: i % 2 === 0 ? [] : ['tools', 'json'],
        weights,
        budget: { usdPerRequest: i % 2 === 0 ? null : 0.001, latencyTargetMs: null },
        conversation: i % 2 === 0 ? null : { id: '0123456789abcdef0123456789abcdef', previousArm: i % 4 === 1 ? null : 'small' },
        decidedAtMs: i % 5 === 4 ? null : startMs + 1_001 * i,
      },
      draw: i / 10_000,
      stateSequence: 10 * i,
      moment: { brokenArms: i % 2 === 0 ? [] : ['large "x"'], rewardPerUsd: 0.1 * i, rewardPerSecond: 0 },
    },
    outcome:
      i % 7 === 6
        ? null
        : {
            parts: { success: 1 / (1 + i), streaming: 0.5, cache: 0, cost: 0.9 },
            weights,
            failed: i % 3 === 0,
            costUsd: i % 2 === 0 ? null : 1e-9 * i,
            latencyMs: 12.5,
            tokens: i % 2 === 0 ? null : { prompt: 3, completion: 40 + i },
          },
  };
};

export const slotRecord = (i: number, item = i % 4): LoggedDecision => ({
  id: String(i),
  atMs: startMs + i,
  tenant: 'imported',
  cluster: String(i),
  policy: 'random',
  arm: String(item),
  propensity: 0.25,
  candidates: null,
  cells: ['all'],
  context: { kind: 'slot', slot: i % 3 },
  outcome: {
    parts: { success: i % 5 === 0 ? 1 : 0, streaming: null, cache: null, cost: null },
    weights: { success: 1, streaming: 0, cache: 0, cost: 0 },
    failed: null,
    costUsd: null,
    latencyMs: null,
    tokens: null,
  },
});

export const recordsOf = (count: number, make: (i: number) => LoggedDecision): readonly LoggedDecision[] =>
  Array.from({ length: count }, (_, i) => make(i));

export async function* batchesOf(
  records: readonly LoggedDecision[],
  size = 100,
): AsyncGenerator<readonly LoggedDecision[], void, undefined> {
  for (let from = 0; from < records.length; from += size) yield records.slice(from, from + size);
}

export const collected = async (batches: AsyncIterable<readonly LoggedDecision[]>): Promise<readonly LoggedDecision[]> => {
  const records: LoggedDecision[] = [];
  for await (const batch of batches) records.push(...batch);
  return records;
};

export const origin: LogOrigin = { source: 'a test', period: { from: '1', to: null }, tenant: null, weights };

export const temporaryFolder = () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'yard-interchange-'));
  return {
    at: (...names: readonly string[]) => path.join(folder, ...names),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
