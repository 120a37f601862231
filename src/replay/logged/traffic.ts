import { wholeNumber, type Clickhouse } from '../../projections/clickhouse.ts';
import { tables } from '../../projections/table.ts';
import { conditionsOf, type FrozenPeriod } from './logged-decisions.ts';
import { shadowedPairSchema, shadowedPairsSql, type ShadowedPair } from './shadowed-pairs.ts';

/** What the log holds of a period besides decisions. */
export type Traffic = {
  /** Requests that were answered from the cache, by the places of these events in the log: there was no decision about them, and no other policy can be asked. */
  readonly answeredFromCache: number;
  /** Requests, decided in the period, that a second arm answered too: paired, without weights. */
  readonly shadowed: readonly ShadowedPair[];
};

/** Frozen as the period is: shadows count that had ended at `outcomesUpTo`. */
export const readTraffic = async (clickhouse: Clickhouse, period: FrozenPeriod): Promise<Traffic> => {
  const { rows, inPeriod } = await conditionsOf(clickhouse, period);
  const shadows = `type = 'shadow.completed' AND ${rows} AND sequence >= ${period.fromSequence} AND sequence <= ${period.outcomesUpTo}`;
  const [found] = await clickhouse.rows(
    `SELECT countIf(type = 'reward.recorded' AND cause = 'cache' AND revision = 0 AND ${inPeriod}) AS hits, countIf(${shadows}) AS shadows
FROM ${tables.events} WHERE type IN ('reward.recorded', 'shadow.completed') AND ${rows}`,
  );
  const decided = `SELECT tenant, request_id FROM ${tables.events} WHERE type = 'route.decided' AND ${inPeriod}`;
  return {
    answeredFromCache: wholeNumber(found, 'hits'),
    // Where there are none, nobody has to look at all decisions for theirs.
    shadowed:
      wholeNumber(found, 'shadows') === 0
        ? []
        : (
            await clickhouse.rows(
              shadowedPairsSql(`event_id IN (SELECT id FROM ${tables.events} WHERE ${shadows} AND (tenant, request_id) IN (${decided}))`),
            )
          ).map((pair) => shadowedPairSchema.parse(pair)),
  };
};
