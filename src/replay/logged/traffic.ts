import { wholeNumber, type Clickhouse } from '../../projections/clickhouse.ts';
import { tables } from '../../projections/table.ts';
import { conditionsOf, type FrozenPeriod } from './logged-decisions.ts';
import { shadowedPairSchema, shadowedPairsSql, type ShadowedPair } from './shadowed-pairs.ts';

/** What the log holds of a period besides decisions. By the places of these events in the log, so that the same period says the same later. */
export type Traffic = {
  /** Requests that were answered from the cache: there was no decision about them, and no other policy can be asked. */
  readonly answeredFromCache: number;
  /** Requests that two arms answered: paired, without weights. */
  readonly shadowed: readonly ShadowedPair[];
};

export const readTraffic = async (clickhouse: Clickhouse, period: FrozenPeriod): Promise<Traffic> => {
  const { inPeriod } = await conditionsOf(clickhouse, period);
  const [cached] = await clickhouse.rows(
    `SELECT count() AS hits FROM ${tables.events} WHERE type = 'reward.recorded' AND cause = 'cache' AND revision = 0 AND ${inPeriod}`,
  );
  const pairs = await clickhouse.rows(
    shadowedPairsSql(`event_id IN (SELECT id FROM ${tables.events} WHERE type = 'shadow.completed' AND ${inPeriod})`),
  );
  return { answeredFromCache: wholeNumber(cached, 'hits'), shadowed: pairs.map((pair) => shadowedPairSchema.parse(pair)) };
};
