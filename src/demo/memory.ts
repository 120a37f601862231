import { readClickhouse, wholeNumber, type Clickhouse, type Row } from '../projections/clickhouse.ts';
import type { RowCounts } from './parity.ts';

/** The demo's questions to ClickHouse, the same that anybody may ask there. */
export type Memory = {
  /** Sequence of the last message that is there; 0 when there is none. */
  readonly projectedSequence: () => Promise<number>;
  readonly countRows: () => Promise<RowCounts>;
  readonly arms: () => Promise<readonly ArmFigures[]>;
  readonly close: () => Promise<void>;
};

export type ArmFigures = {
  readonly arm: string;
  readonly requests: number;
  readonly failed: number;
  readonly fromCache: number;
  /** How many answers were judged, and the mean of the judgements, 0..1; null when none was. */
  readonly judged: number;
  readonly measuredReward: number | null;
  readonly costUsdPerRequest: number;
  readonly latencyMsMedian: number;
};

const requestTimeoutMs = 30_000;

export const openMemory = (url: string, database = 'switchyard'): Memory => {
  const clickhouse = readClickhouse({ kind: 'server', url, database }, { requestTimeoutMs });
  return {
    projectedSequence: async () => wholeNumber(await onlyRow(clickhouse, 'SELECT max(sequence) AS sequence FROM events'), 'sequence'),
    countRows: async () => rowCountsOf(await onlyRow(clickhouse, countSql)),
    arms: async () => (await clickhouse.rows(armsSql)).map(armFiguresOf),
    close: clickhouse.close,
  };
};

const countSql = `
SELECT
    count() AS events,
    uniqExact(id) AS distinct_events,
    countIf(type = 'route.decided') AS routed,
    countIf(type = 'cache.hit') AS from_cache,
    countIf(type = 'response.completed') AS completed,
    countIf(type = 'response.failed') AS failed,
    countIf(type = 'reward.recorded' AND revision = 0) AS rewarded,
    countIf(type = 'feedback.received') AS feedback,
    countIf(type = 'reward.recorded' AND revision > 0) AS revised
FROM events`;

/** An answer from the cache costs nothing and is not judged again; it counts for the arm that made it. */
const armsSql = `
WITH
    outcomes AS (SELECT request_id, arm, type, origin, cost_nano_usd, latency_ms FROM events WHERE type IN ('response.completed', 'response.failed')),
    judgements AS (SELECT request_id, avg(score_micro) AS score_micro, 1 AS judged FROM events WHERE type = 'feedback.received' GROUP BY request_id)
SELECT
    arm,
    count() AS requests,
    countIf(type = 'response.failed') AS failed,
    countIf(origin = 'cache') AS from_cache,
    countIf(judged = 1) AS judged_requests,
    sumIf(score_micro, judged = 1) / 1e6 AS score,
    avg(cost_nano_usd) / 1e9 AS cost_usd,
    quantileExact(0.5)(latency_ms) AS latency_ms_median
FROM outcomes
LEFT JOIN judgements USING (request_id)
GROUP BY arm
ORDER BY requests DESC, arm`;

const onlyRow = async (clickhouse: Clickhouse, select: string): Promise<Row> => {
  const [row] = await clickhouse.rows(select);
  if (row === undefined) throw new TypeError('expected one row, got none');
  return row;
};

const rowCountsOf = (row: Row): RowCounts => {
  const events = wholeNumber(row, 'events');
  const distinct = wholeNumber(row, 'distinct_events');
  return {
    events,
    distinct,
    duplicates: events - distinct,
    routed: wholeNumber(row, 'routed'),
    fromCache: wholeNumber(row, 'from_cache'),
    completed: wholeNumber(row, 'completed'),
    failed: wholeNumber(row, 'failed'),
    rewarded: wholeNumber(row, 'rewarded'),
    feedback: wholeNumber(row, 'feedback'),
    revised: wholeNumber(row, 'revised'),
  };
};

const armFiguresOf = (row: Row): ArmFigures => {
  const judged = wholeNumber(row, 'judged_requests');
  return {
    arm: String(row['arm']),
    requests: wholeNumber(row, 'requests'),
    failed: wholeNumber(row, 'failed'),
    fromCache: wholeNumber(row, 'from_cache'),
    judged,
    measuredReward: judged === 0 ? null : Number(row['score']) / judged,
    costUsdPerRequest: Number(row['cost_usd']),
    latencyMsMedian: Number(row['latency_ms_median']),
  };
};
