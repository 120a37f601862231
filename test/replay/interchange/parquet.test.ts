import { mkdirSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { literal, openClickhouse, type Clickhouse } from '../../../src/projections/clickhouse.ts';
import { rewardOf } from '../../../src/replay/logged/reward-of.ts';
import { parquetColumns, writeParquet } from '../../../src/replay/interchange/write-parquet.ts';
import { batchesOf, recordsOf, requestRecord, slotRecord, temporaryFolder } from './support/records.ts';

const folder = temporaryFolder();
let engine: Clickhouse | undefined;
afterAll(async () => {
  await engine?.close();
  folder.remove();
});

const records = [...recordsOf(2_500, requestRecord), ...recordsOf(100, slotRecord)];

it('is read again by ClickHouse: every column, in the order of the log', async () => {
  const file = folder.at('it\'s\\a "log".parquet');
  expect(await writeParquet(file, batchesOf(records))).toEqual({ records: records.length });
  mkdirSync(folder.at('reader'));
  engine = await openClickhouse({ kind: 'embedded', path: folder.at('reader'), database: 'reader' }, { requestTimeoutMs: 30_000 });
  const from = `file(${literal(file)}, 'Parquet') SETTINGS max_threads = 1`;
  const described = await engine.rows(`DESCRIBE file(${literal(file)}, 'Parquet')`);
  expect(described.map(({ name, type }) => [name, type])).toEqual(Object.entries(parquetColumns));
  const rows = await engine.rows(`SELECT *, toUnixTimestamp64Milli(time) AS at_ms FROM ${from}`);
  expect(rows).toHaveLength(records.length);
  for (const [i, record] of records.entries()) {
    const row = rows[i] ?? {};
    const { candidates, context, outcome } = record;
    expect(row).toMatchObject({
      id: record.id,
      at_ms: String(record.atMs),
      tenant: record.tenant,
      cluster: record.cluster,
      policy: record.policy,
      arm: record.arm,
      propensity: record.propensity,
      candidate_arms: candidates?.arms ?? [],
      candidate_propensities: candidates?.propensities ?? [],
      cells: record.cells,
      slot: context.kind === 'slot' ? context.slot : null,
      draw: context.kind === 'request' ? context.draw : null,
      state_sequence: context.kind === 'request' ? String(context.stateSequence) : null,
      reward: outcome === null ? null : rewardOf(outcome),
      success: outcome?.parts.success ?? null,
      weight_cost: outcome?.weights.cost ?? null,
      failed: outcome?.failed ?? null,
      cost_usd: outcome?.costUsd ?? null,
      latency_ms: outcome?.latencyMs ?? null,
      completion_tokens: outcome?.tokens === undefined || outcome.tokens === null ? null : String(outcome.tokens.completion),
    });
    const request: unknown = typeof row['request'] === 'string' ? JSON.parse(row['request']) : null;
    expect(request).toEqual(context.kind === 'request' ? { input: context.input, moment: context.moment } : null);
  }
});
