import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, explainError, literal, openClickhouse, withoutStatement, type Clickhouse } from '../../projections/clickhouse.ts';
import type { LoggedDecision } from '../logged/logged-decision.ts';
import { refuseFile } from './foreign-bytes.ts';
import { writeNewFiles } from './new-files.ts';
import { rewardOf } from '../logged/reward-of.ts';
import type { LoggedDecisions } from './write-log.ts';

/** Columns of the file, with the types of ClickHouse and what each is for whoever reads docs/interchange.md. */
export const parquetColumns = {
  id: 'String',
  time: `DateTime64(3, 'UTC')`,
  tenant: 'String',
  cluster: 'String',
  policy: 'String',
  arm: 'String',
  propensity: 'Float64',
  candidate_arms: 'Array(String)',
  candidate_propensities: 'Array(Float64)',
  cells: 'Array(String)',
  slot: 'Nullable(UInt32)',
  request: 'Nullable(String)',
  draw: 'Nullable(Float64)',
  state_sequence: 'Nullable(UInt64)',
  reward: 'Nullable(Float64)',
  success: 'Nullable(Float64)',
  streaming: 'Nullable(Float64)',
  cache: 'Nullable(Float64)',
  cost: 'Nullable(Float64)',
  weight_success: 'Nullable(Float64)',
  weight_streaming: 'Nullable(Float64)',
  weight_cache: 'Nullable(Float64)',
  weight_cost: 'Nullable(Float64)',
  failed: 'Nullable(Bool)',
  cost_usd: 'Nullable(Float64)',
  latency_ms: 'Nullable(Float64)',
  prompt_tokens: 'Nullable(UInt64)',
  completion_tokens: 'Nullable(UInt64)',
} as const;
type Column = keyof typeof parquetColumns;

const requestTimeoutMs = 24 * 3_600_000;

/**
 * Writes logged decisions as one Parquet file, in their order. The embedded engine writes it: records go in batches into a table of a folder of its own beside the file, and from there into the file,
 * so that memory is bounded for any number. (Over the read-only interface a result is held whole, and may not be larger than `clickhouse.resultBytes`.) The engine has one folder a process: this
 * process must not have another open. Throws when the file exists, unless `force`.
 */
export const writeParquet = async (
  file: string,
  batches: LoggedDecisions,
  { force = false }: { readonly force?: boolean } = {},
): Promise<{ readonly records: number }> =>
  writeNewFiles([file], { force }, async ([temporary = file]) => {
    const folder = await mkdtemp(path.join(path.dirname(temporary), '.switchyard-parquet-'));
    const sweep = (): void => {
      rmSync(folder, { recursive: true, force: true });
    };
    // A second Ctrl-C ends the process without an error that could be caught here.
    process.once('exit', sweep);
    try {
      const engine = await openClickhouse({ kind: 'embedded', path: folder, database: 'export' }, { requestTimeoutMs });
      try {
        return { records: await fill(engine, { file, temporary: path.resolve(temporary) }, batches) };
      } finally {
        await engine.close();
      }
    } finally {
      process.off('exit', sweep);
      sweep();
    }
  });

const fill = async (
  engine: Clickhouse,
  { file, temporary }: { readonly file: string; readonly temporary: string },
  batches: LoggedDecisions,
): Promise<number> => {
  const columns = Object.entries(parquetColumns).map(([name, type]) => `${name} ${type}`);
  const parquet = `file(${literal(temporary)}, 'Parquet', ${literal(columns.join(', '))}`;
  await written(file, engine.command(`CREATE TABLE decisions (${columns.join(', ')}) ENGINE = Log`));
  let records = 0;
  for await (const batch of batches) {
    if (batch.length === 0) continue;
    const lines = batch.map((record) => `${JSON.stringify(rowOf(record))}\n`).join('');
    await written(file, engine.insert('INSERT INTO decisions', lines));
    records += batch.length;
  }
  // One thread reads in the order that was written.
  await written(
    file,
    engine.command(
      `INSERT INTO FUNCTION ${parquet}, 'none') SELECT * FROM decisions SETTINGS max_threads = 1, output_format_parquet_compression_method = 'zstd'`,
    ),
  );
  // The embedded engine says nothing of an insert that a full disk did not take.
  const [counted] = await written(file, engine.rows(`SELECT count() AS rows FROM ${parquet})`));
  if (Number(counted?.['rows']) !== records)
    throw refuseFile(file, `could not be written: the disk took ${String(counted?.['rows'])} of ${records} decisions; is it full?`);
  return records;
};

/** The engine writes to the disk and nowhere else: what it cannot do the disk did not let it do. */
const written = async <Result>(file: string, work: Promise<Result>): Promise<Result> => {
  try {
    return await work;
  } catch (cause) {
    if (errorCode(cause) === null) throw cause;
    throw refuseFile(file, `could not be written; is the disk full? ${withoutStatement(explainError(cause))}`, cause);
  }
};

const rowOf = ({ context, outcome, candidates, atMs, ...record }: LoggedDecision): Readonly<Record<Column, unknown>> => ({
  id: record.id,
  // Read by the engine as seconds and their fraction.
  time: (atMs / 1_000).toFixed(3),
  tenant: record.tenant,
  cluster: record.cluster,
  policy: record.policy,
  arm: record.arm,
  propensity: record.propensity,
  candidate_arms: candidates?.arms ?? [],
  candidate_propensities: candidates?.propensities ?? [],
  cells: record.cells,
  slot: context.kind === 'slot' ? context.slot : null,
  request: context.kind === 'request' ? JSON.stringify({ input: context.input, moment: context.moment }) : null,
  draw: context.kind === 'request' ? context.draw : null,
  state_sequence: context.kind === 'request' ? context.stateSequence : null,
  reward: outcome === null ? null : rewardOf(outcome),
  success: outcome?.parts.success ?? null,
  streaming: outcome?.parts.streaming ?? null,
  cache: outcome?.parts.cache ?? null,
  cost: outcome?.parts.cost ?? null,
  weight_success: outcome?.weights.success ?? null,
  weight_streaming: outcome?.weights.streaming ?? null,
  weight_cache: outcome?.weights.cache ?? null,
  weight_cost: outcome?.weights.cost ?? null,
  failed: outcome?.failed ?? null,
  cost_usd: outcome?.costUsd ?? null,
  latency_ms: outcome?.latencyMs ?? null,
  prompt_tokens: outcome?.tokens?.prompt ?? null,
  completion_tokens: outcome?.tokens?.completion ?? null,
});
