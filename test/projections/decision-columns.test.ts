import { expect, test } from 'vitest';
import { sequence } from '../../src/events/index.ts';
import { openClickhouse, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { insertStatement } from '../../src/projections/event-writer.ts';
import { applyMigrations, readMigrations } from '../../src/projections/migrations.ts';
import { rowsOf } from '../../src/projections/rows.ts';
import { seededRandom } from '../../src/domain/random.ts';
import { testFolder } from '../support/projection.ts';
import { decided, rewarded } from '../support/projection-events.ts';

/**
 * A table that was made before decisions had columns of their own: the migration fills them from `data`, to the last bit as the projector writes them.
 */
const random = seededRandom('decision columns');
const shares = () => {
  const parts = [random(), random(), random()];
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
};

const candidates = (propensities: readonly number[]) =>
  propensities.map((propensity, k) => ({
    arm: `arm-${k}`,
    model: `model-${k}`,
    posterior: { family: 'normal', mean: random(), sd: random() } as const,
    expectedCostNanoUsd: 1_000 * random(),
    expectedLatencyMs: null,
    adjustment: -random(),
    floor: 0.01,
    propensity,
  }));

const features = {
  version: 2,
  tenant: 'default',
  promptCharacters: 5_000_000_000,
  promptTokensEstimate: 30,
  messageCount: 5,
  conversationDepth: 2,
  hasSystemPrompt: true,
  lastMessageCharacters: 80,
  hasCode: false,
  hasMathematics: true,
  isQuestion: true,
  language: 'de',
  kind: 'open-question',
  complexity: 0.251,
  requestedTokens: 512,
  requestedFormat: 'json',
  opening: 12,
  ending: 255,
  system: 63,
} as const;

const decisions = [
  decided(1),
  decided(2, { candidates: candidates(shares()), features: { ...features, tenant: decided(2).tenant } }),
  decided(3, {
    candidates: candidates(shares()),
    features: { ...features, tenant: decided(3).tenant, hasSystemPrompt: false, system: null },
    weights: { success: 0.123456789012345, streaming: 0.2, cache: 0.3, cost: 0.376543210987655 },
    needs: ['tools', 'images'],
    maxOutputTokens: 4_096,
    pacing: { step: 3, usdPerRequest: 0.000123456789, latencyTargetMs: 812.5, rewardPerUsd: 1 / 3, rewardPerSecond: 0.1 },
    conversation: { id: '0123456789abcdef0123456789abcdef', previousArm: 'arm-1' },
    exclusions: [
      { arm: 'arm-x', reason: 'breaker-open' },
      { arm: 'arm-y', reason: 'disabled' },
      { arm: 'arm-z', reason: 'breaker-open' },
    ],
  }),
  decided(4, {
    pacing: { step: 1, usdPerRequest: null, latencyTargetMs: 9, rewardPerUsd: 0, rewardPerSecond: 0.25 },
    conversation: { id: '0123456789abcdef0123456789abcdef', previousArm: null },
  }),
  ...Array.from({ length: 50 }, (_, i) => decided(10 + i, { candidates: candidates(shares()), draw: random() })),
];

const rows = [...decisions, rewarded(1)].flatMap((event, i) =>
  rowsOf({ kind: 'events', sequence: sequence(i + 1), storedAtMs: Date.parse(event.time), events: [event] }, 1),
);

const added = [
  ...['candidate_arms', 'candidate_propensities', 'broken_arms', 'needs', 'max_output_tokens', 'weights'],
  ...['usd_per_request', 'latency_target_ms', 'previous_arm', 'features'],
];

test('decisions that were written before they had columns come to have what the projector writes', async () => {
  const folder = await testFolder();
  const open = (database: string): Promise<Clickhouse> =>
    openClickhouse({ kind: 'embedded', path: folder.path, database }, { requestTimeoutMs: 30_000 });
  const migrations = await readMigrations();
  const insert = (clickhouse: Clickhouse, columns: (row: object) => object) =>
    clickhouse.insert(insertStatement('events', '1:1'), rows.map((row) => JSON.stringify(columns(row))).join('\n'));
  const read = (clickhouse: Clickhouse) =>
    clickhouse.rows(`SELECT * EXCEPT (data), reinterpretAsUInt64(candidate_propensities[1]) AS bits FROM events ORDER BY sequence`);

  const before = await open('before');
  await applyMigrations(before, migrations.slice(0, 7));
  await insert(before, (row) => Object.fromEntries(Object.entries(row).filter(([name]) => !added.includes(name))));
  await applyMigrations(before, migrations);
  const filled = await read(before);
  await before.close();

  const now = await open('now');
  await applyMigrations(now, migrations);
  await insert(now, (row) => row);
  const written = await read(now);
  await now.close();
  await folder.remove();

  expect(filled).toEqual(written);
  expect(written).toHaveLength(rows.length);
  expect(written[2]).toMatchObject({
    needs: ['tools', 'images'],
    broken_arms: ['arm-x', 'arm-z'],
    max_output_tokens: '4096',
    previous_arm: 'arm-1',
    usd_per_request: 0.000123456789,
    weights: { success: 0.123456789012345 },
    features: { version: 2, prompt_characters: '5000000000', has_mathematics: true, requested_format: 'json', ending: 255, system: -1 },
  });
  for (const [i, { data }] of decisions.entries())
    expect(written[i]?.['candidate_propensities']).toEqual(data.candidates.map(({ propensity }) => propensity));
});
