import { requestKinds } from '../src/events/schemas/features.ts';
import type { Clickhouse } from '../src/projections/clickhouse.ts';
import { recordEpoch } from '../src/projections/epochs.ts';
import { tables } from '../src/projections/table.ts';

/**
 * Rewards as the projector writes them, made by the engine itself: so many do not fit through a log in a minute. Four arms, five tenants, chains of three cells of about a hundred, thirty days.
 * What they say follows from their number alone.
 */
export const fillWithRewards = async (clickhouse: Clickhouse, count: number): Promise<void> => {
  await recordEpoch(clickhouse, { epoch: 1, streamCreatedAt: 'made up', firstSequence: 1, reason: 'first' });
  const columns = Object.keys(expressions);
  const values = Object.values(expressions);
  await clickhouse.command(
    `INSERT INTO ${tables.events} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM (${made(count)}) SETTINGS async_insert = 0, max_insert_threads = 1`,
  );
};

const days = 30;
const openings = 80;
const beganMs = Date.UTC(2026, 0, 1);

const made = (count: number): string => `SELECT number, cityHash64(number) AS lot, lot % ${openings} AS opening,
  fromUnixTimestamp64Milli(${beganMs}::Int64 + intDiv(number * ${days * 86_400_000}, ${count}), 'UTC') AS at,
  if(lot % 3 = 0, 0, 1000000) AS success_micros, 700000 + lot % 99991 AS streaming_micros, 400000 + lot % 199999 AS cost_micros, 10000 + lot % 5000000 AS nano_usd
  FROM numbers(${count})`;

const kinds = `['${requestKinds.join("', '")}']`;
const square = (part: string) => `intDiv(${part} * ${part}, 1000000)`;

const expressions: Readonly<Record<string, string>> = {
  stream_epoch: '1',
  sequence: 'number + 1',
  event_index: '1',
  stored_at: 'at',
  id: "concat('bench-', toString(number))",
  type: "'reward.recorded'",
  schema_version: '2',
  source: "'switchyard/bench'",
  time: 'at',
  tenant: "concat('tenant-', toString(lot % 5))",
  request_id: "concat('request-', toString(number))",
  data: "'{}'",
  arm: "concat('arm-', toString(lot % 4))",
  model: "concat('model-', toString(lot % 4))",
  cause: "'completion'",
  policy_id: "'thompson'",
  policy_version: "'f00d'",
  decided_at: 'at',
  cells: `['all', concat('kind:', ${kinds}[1 + opening % ${requestKinds.length}]), concat('opening:', toString(opening))]`,
  evidence_trials: '1',
  evidence_measured: '1',
  evidence_success: 'success_micros',
  evidence_streaming: 'streaming_micros',
  evidence_cost: 'cost_micros',
  evidence_success_square: 'success_micros',
  evidence_streaming_square: square('streaming_micros'),
  evidence_cost_square: square('cost_micros'),
  evidence_cost_nano_usd: 'nano_usd',
  evidence_spend_square: 'intDiv(nano_usd, 10000) * intDiv(nano_usd, 10000)',
  evidence_latency_ms: '200 + lot % 3000',
  evidence_prompt_tokens: '20 + lot % 800',
  evidence_completion_tokens: '10 + lot % 500',
};
