import { z } from 'zod';

const both = `delivered_outcome = 'completed' AND shadow_outcome = 'completed'`;
const interval = (difference: string, condition: string) => `studentTTestOneSampleIf(0.95)(toFloat64(${difference}), 0, ${condition})`;

/** Requests that two arms answered, by pair of arms: the view shadow_comparison of a part of the log, and the 95 % intervals (paired t). What cannot be said of so few requests is NULL. Differences are shadow less delivered. */
export const shadowedPairsSql = (where: string): string => `
SELECT
    delivered_arm AS deliveredArm,
    shadow_arm AS shadowArm,
    count() AS requests,
    countIf(delivered_outcome != 'completed') AS deliveredFailed,
    countIf(shadow_outcome != 'completed') AS shadowFailed,
    countIf(${both}) AS bothCompleted,
    avgOrNullIf(delivered_latency_ms, ${both}) AS deliveredLatencyMs,
    avgOrNullIf(shadow_latency_ms, ${both}) AS shadowLatencyMs,
    shadowLatencyMs - deliveredLatencyMs AS latencyMsDifference,
    ${interval('shadow_latency_ms - delivered_latency_ms', both)} AS latencyTest,
    ifNotFinite(latencyTest.confidence_interval_low, NULL) AS latencyMsLow,
    ifNotFinite(latencyTest.confidence_interval_high, NULL) AS latencyMsHigh,
    avgOrNullIf(delivered_first_token_ms, ${both}) AS deliveredFirstTokenMs,
    avgOrNullIf(shadow_first_token_ms, ${both}) AS shadowFirstTokenMs,
    avg(delivered_cost_nano_usd) AS deliveredCostNanoUsd,
    avg(shadow_cost_nano_usd) AS shadowCostNanoUsd,
    shadowCostNanoUsd - deliveredCostNanoUsd AS costNanoUsdDifference,
    ${interval('toInt64(shadow_cost_nano_usd) - toInt64(delivered_cost_nano_usd)', '1')} AS costTest,
    ifNotFinite(costTest.confidence_interval_low, NULL) AS costNanoUsdLow,
    ifNotFinite(costTest.confidence_interval_high, NULL) AS costNanoUsdHigh,
    avgOrNullIf(delivered_score, shadow_score IS NOT NULL) AS deliveredScore,
    avgOrNullIf(shadow_score, delivered_score IS NOT NULL) AS shadowScore,
    avgOrNull(similarity) AS meanSimilarity,
    countIf(delivered_simulated OR shadow_simulated) AS simulated
FROM shadows
WHERE ${where}
GROUP BY delivered_arm, shadow_arm
ORDER BY delivered_arm, shadow_arm`;

const number = z.coerce.number();
const maybe = z.number().nullable();
export const shadowedPairSchema = z.object({
  deliveredArm: z.string(),
  shadowArm: z.string(),
  requests: number,
  deliveredFailed: number,
  shadowFailed: number,
  bothCompleted: number,
  deliveredLatencyMs: maybe,
  shadowLatencyMs: maybe,
  latencyMsDifference: maybe,
  latencyMsLow: maybe,
  latencyMsHigh: maybe,
  deliveredFirstTokenMs: maybe,
  shadowFirstTokenMs: maybe,
  deliveredCostNanoUsd: z.number(),
  shadowCostNanoUsd: z.number(),
  costNanoUsdDifference: z.number(),
  costNanoUsdLow: maybe,
  costNanoUsdHigh: maybe,
  deliveredScore: maybe,
  shadowScore: maybe,
  meanSimilarity: maybe,
  simulated: number,
});
export type ShadowedPair = Readonly<z.infer<typeof shadowedPairSchema>>;
