import { z } from 'zod';
import type { PlainMean } from '../domain/comparison/plain-mean.ts';

/** What is asked of ClickHouse about arms: one row for each routed request, and the quantities that are compared. */

/** The requests that were decided in a period, whenever they ended or were judged. A request's reward is that of its last revision. `others`: arms that could have been drawn in place of its own. */
export const routedSql = (where: string): string => `
SELECT
    tenant,
    request_id,
    anyIf(events.arm, type = 'route.decided') AS arm,
    anyIf(events.model, type = 'route.decided') AS model,
    anyIf(events.propensity, type = 'route.decided') AS propensity,
    anyIf(candidates, type = 'route.decided') AS all_candidates,
    arrayFilter(other -> other != arm, arrayMap(c -> c.arm, arrayFilter(c -> c.propensity > 0, all_candidates))) AS others,
    if(countIf(${ended}) = 0, 'open', anyIf(events.outcome, ${ended})) AS outcome,
    anyIf(events.latency_ms, ${ended}) AS latency_ms,
    anyIf(events.cost_nano_usd, ${ended}) AS cost_nano_usd,
    anyIf(events.simulated, ${ended}) AS simulated,
    countIf(${rewarded}) > 0 AS is_rewarded,
    ${(['reward', 'success', 'streaming', 'cache', 'cost'] as const)
      .map((part) => `argMaxIf(${part}_micro, revision, ${rewarded}) / 1e6 AS ${part}`)
      .join(',\n    ')}
FROM
(
    SELECT *, if(type = 'route.decided', JSONExtract(data, 'candidates', 'Array(Tuple(arm String, propensity Float64))'), []) AS candidates
    FROM events
    WHERE type IN ('route.decided', 'response.completed', 'response.failed', 'reward.recorded')
        ${where === '1' ? '' : `AND (tenant, request_id) IN (SELECT tenant, request_id FROM events WHERE type = 'route.decided' AND ${where})`}
) AS events
GROUP BY tenant, request_id
HAVING countIf(type = 'route.decided' AND events.propensity > 0) > 0`;

const ended = `type IN ('response.completed', 'response.failed')`;
const rewarded = `type = 'reward.recorded'`;

/** Broken off by the caller, or by the end of our own process: nothing is learned of the arm. */
export const brokenOff = `r.outcome IN ('cancelled', 'interrupted')`;
export const counted = `(r.is_rewarded AND r.outcome NOT IN ('open', 'cancelled', 'interrupted'))`;
export const failed = `(${counted} AND r.outcome != 'completed')`;

/** A quantity of a routed request, and of which requests it is taken. */
export const measures = {
  reward: { value: 'r.reward', of: counted },
  success: { value: 'r.success', of: counted },
  streaming: { value: 'r.streaming', of: counted },
  cache: { value: 'r.cache', of: counted },
  cost: { value: 'r.cost', of: counted },
  failureRate: { value: `r.outcome != 'completed'`, of: counted },
  // Paid for all the same.
  costNanoUsd: { value: 'r.cost_nano_usd', of: `r.outcome != 'open'` },
  // How soon a failure came says nothing of how soon answers come.
  latencyMs: { value: 'r.latency_ms', of: `r.outcome = 'completed'` },
} as const satisfies Readonly<Record<string, { readonly value: string; readonly of: string }>>;

export type Measure = keyof typeof measures;
export const measureNames = Object.keys(measures) as readonly Measure[];

/** One value for each measure. */
export const forEachMeasure = <Value>(make: (measure: Measure) => Value): Readonly<Record<Measure, Value>> =>
  Object.fromEntries(measureNames.map((measure) => [measure, make(measure)])) as Record<Measure, Value>;

/** Count, mean and variance of a measure. Variances by Welford's method: sums of squares would leave rounding where all values are alike. */
export const plainSql = (measure: Measure, condition = '1'): string => {
  const { value, of } = measures[measure];
  const given = `toFloat64(${value}), ${of} AND ${condition}`;
  return `[toFloat64(countIf(${of} AND ${condition})), ifNotFinite(avgIf(${given}), NULL), ifNotFinite(varSampStableIf(${given}), NULL)]`;
};

const maybe = z.number().nullable();
export const plainSchema = z
  .tuple([z.number(), maybe, maybe])
  .transform(([answers, mean, variance]): PlainMean | null => (mean === null ? null : { answers, mean, variance }));

export const confidence = 0.95;
