import { evidenceFields } from '../domain/routing/sums.ts';
import type { RecordedEvent } from '../domain/routing/remembered.ts';
import { emptySnapshot, type BlockSnapshot, type StateSnapshot } from '../domain/routing/snapshot.ts';
import { blockStarts, tickMs, tickOf } from '../domain/routing/time-blocks.ts';
import { tenantSchema, type Tenant } from '../events/index.ts';
import { wholeNumber, type Clickhouse, type Row } from './clickhouse.ts';
import { eventColumns, eventsOfRows } from './events-of-rows.ts';
import { evidenceColumns, tables } from './table.ts';

/**
 * The sums that the state of the router consists of, made by the engine. Each `rows` is a condition on the table `events`. Sums of whole numbers, read as such: they throw rather than be rounded.
 *
 * Ten million rewards take seconds because rewards are grouped by their list of cells first, and only the groups, some ten thousand, are spread over the cells.
 */
const rewards = "type = 'reward.recorded'";
/** As `filedAtMs` has it. */
const filedAt = 'least(decided_at, stored_at)';

/** Tick of the latest reward that is filed in any cell. */
export const latestRewardTick = async (clickhouse: Clickhouse, rows: string): Promise<number> => {
  const [row] = await clickhouse.rows(
    `SELECT toUnixTimestamp64Milli(max(${filedAt})) AS latest_ms FROM ${tables.events} WHERE ${rewards} AND notEmpty(cells) AND ${rows}`,
  );
  return tickOf(wholeNumber(row, 'latest_ms'));
};

/** The highest number of a canary's start that a reward names; 0 when none does. */
export const latestTrial = async (clickhouse: Clickhouse, rows: string): Promise<number> => {
  const [row] = await clickhouse.rows(`SELECT max(trial) AS trial FROM ${tables.events} WHERE ${rewards} AND policy_id != '' AND ${rows}`);
  return wholeNumber(row, 'trial');
};

/** Blocks of the partition at `latestTick`, which must not lie before any reward. */
export const sumBlocks = async (clickhouse: Clickhouse, rows: string, latestTick: number): Promise<readonly BlockSnapshot[]> => {
  const columns = evidenceFields.map((field) => evidenceColumns[field]);
  const chains = `SELECT arm, cells AS chain, ${blockStartOf(filedAt, latestTick)} AS start, ${columns.map((column) => `sum(${column}) AS ${column}_sum`).join(', ')}
    FROM ${tables.events} WHERE ${rewards} AND notEmpty(cells) AND ${rows} GROUP BY arm, chain, start`;
  const found = await clickhouse.rows(
    `SELECT arm, cell, start, [${columns.map((column) => `toInt64(sum(${column}_sum))`).join(', ')}] AS sums FROM (${chains}) ARRAY JOIN chain AS cell GROUP BY arm, cell, start`,
  );
  return found.map((row) => ({
    arm: String(row['arm']),
    cell: String(row['cell']),
    startTick: wholeNumber(row, 'start'),
    sums: wholeNumbers(row, 'sums'),
  }));
};

/** The first tick of the block that a moment lies in: looked up among the starts of all blocks, so that there is one definition of the partition. */
export const blockStartOf = (dateTime: string, latestTick: number): string =>
  // Of one type: without it each number has the narrowest that holds it, and those beyond 32 bits have none in common with the rest.
  `roundDown(greatest(intDiv(toUnixTimestamp64Milli(${dateTime}), ${tickMs}), 0), [${blockStarts(latestTick).join(', ')}]::Array(Int64))`;

/** Requests that arms were chosen for and that have ended, and what those of each tenant did cost and take. */
export const sumRequests = async (clickhouse: Clickhouse, rows: string): Promise<Pick<StateSnapshot, 'chosen' | 'totals'>> => {
  const found = await clickhouse.rows(
    `SELECT type = 'route.decided' AS decided, cause = 'cache' AS cached, policy_id != '' AS routed, tenant, arm, count() AS requests, sum(evidence_cost_nano_usd) AS cost_nano_usd, sum(evidence_latency_ms) AS latency_ms
      FROM ${tables.events} WHERE type IN ('route.decided', 'reward.recorded') AND revision = 0 AND ${rows} GROUP BY decided, cached, routed, tenant, arm`,
  );
  const chosen = new Map<string, { decided: number; ended: number }>();
  const totals = new Map<Tenant, { requests: number; costNanoUsd: number; latencyMs: number }>();
  for (const row of found) {
    const requests = wholeNumber(row, 'requests');
    const isDecided = wholeNumber(row, 'decided') === 1;
    if (isDecided || wholeNumber(row, 'cached') === 0) {
      const counts = entryOf(chosen, String(row['arm']), { decided: 0, ended: 0 });
      counts[isDecided ? 'decided' : 'ended'] += requests;
    }
    if (isDecided || wholeNumber(row, 'routed') === 0) continue;
    const sums = entryOf(totals, tenantSchema.parse(row['tenant']), { requests: 0, costNanoUsd: 0, latencyMs: 0 });
    sums.requests += requests;
    sums.costNanoUsd += wholeNumber(row, 'cost_nano_usd');
    sums.latencyMs += wholeNumber(row, 'latency_ms');
  }
  return {
    chosen: [...chosen].map(([arm, counts]) => ({ arm, ...counts })),
    totals: [...totals].map(([tenant, sums]) => ({ tenant, ...sums })),
  };
};

const entryOf = <Key, Value>(map: Map<Key, Value>, key: Key, first: Value): Value => {
  const known = map.get(key) ?? first;
  map.set(key, known);
  return known;
};

/** Evidence of both sides of a canary, by the number of the change that started it. */
export const sumTrial = async (clickhouse: Clickhouse, rows: string, change: number): Promise<StateSnapshot['trial']> => {
  if (change === 0) return emptySnapshot.trial;
  const sums = evidenceFields.map((field) => `toInt64(sum(${evidenceColumns[field]}))`).join(', ');
  const found = await clickhouse.rows(
    `SELECT canary, [${sums}] AS sums FROM ${tables.events} WHERE ${rewards} AND policy_id != '' AND trial = ${change} AND ${rows} GROUP BY canary`,
  );
  const side = (canary: boolean) => {
    const row = found.find((one) => one['canary'] === canary);
    return row === undefined ? emptySnapshot.trial.stable : wholeNumbers(row, 'sums');
  };
  return { change, stable: side(false), canary: side(true) };
};

/**
 * The events of which only the one with the highest number counts: changes of policy, by what they are and where they came from, and the paces of each tenant. In the order of the log.
 * Of two with the same number the first stands, and of those without a number (0) the last, as when the log is folded.
 */
export const latestRecords = async (clickhouse: Clickhouse, rows: string): Promise<readonly RecordedEvent[]> => {
  const place = '(stream_epoch, sequence, event_index)';
  const first = '-toInt64(sequence), -toInt64(event_index)';
  const paces = `SELECT argMax(${place}, (step, ${first})) AS place FROM ${tables.events} WHERE type = 'budget.paced' AND ${rows} GROUP BY tenant`;
  const change = `policy_change, if(policy_change = 0, (toInt64(sequence), toInt64(event_index)), (${first}))`;
  const policies = `SELECT argMax(${place}, (${change})) AS place FROM ${tables.events} WHERE type IN ('policy.activated', 'policy.canary_started', 'policy.canary_ended') AND ${rows} GROUP BY type, policy_origin`;
  const found = await clickhouse.rows(
    `SELECT ${eventColumns} FROM ${tables.events} WHERE ${place} IN (${paces} UNION ALL ${policies}) ORDER BY sequence, event_index`,
  );
  return eventsOfRows(found);
};

const wholeNumbers = (row: Row, column: string): readonly number[] => {
  const values = row[column];
  if (!Array.isArray(values)) throw new TypeError(`expected a list of whole numbers in column ${column}, got ${String(values)}`);
  return values.map((value: unknown) => wholeNumber({ [column]: value }, column));
};
