import type { RecordedFeatures } from '../../events/index.ts';
import type { Price } from '../price.ts';
import { everyRequest, type ArmSeries, type Evidence } from './evidence.ts';
import { partition, type Series } from './series.ts';
import { fieldIndex, fieldCount } from './sums.ts';

/**
 * What a request is expected to cost and to take on an arm, before it is sent there: means over the chain of cells, each leaning on the one before it. With a list price money follows from
 * tokens, so that an arm that is re-priced is judged by its new price at once; without one the cost of earlier answers is all that is known.
 *
 * When what an arm's latest answers cost or took differs from the mean by more than chance explains, the expectation follows the latest.
 */
export type Expectation = { readonly costNanoUsd: number | null; readonly latencyMs: number | null };

export type PricedArm = { readonly arm: string; readonly price: Price | null };

/** A mean in a cell counts as much as the mean of the cell before it from this many answers on. */
const leaning = 4;
/** Tokens of an answer of which nothing is known. */
const unknownAnswerTokens = 400;

export const expectationOf = (
  evidence: Evidence,
  { arm, price }: PricedArm,
  request: {
    readonly cells: readonly string[];
    readonly features: Pick<RecordedFeatures, 'promptTokensEstimate'>;
    readonly maxOutputTokens: number;
  },
): Expectation => {
  const series = evidence.arms.get(arm);
  const { cells, maxOutputTokens } = request;
  const latest = series === undefined ? noFactors : latestFactors(series, evidence.latestTick);
  const latency = chained(series, cells, 'latencyMs');
  const latencyMs = latency === null ? null : latency * latest.latencyMs;
  if (price === null) {
    const cost = chained(series, cells, 'costNanoUsd');
    return { costNanoUsd: cost === null ? null : cost * latest.costNanoUsd, latencyMs };
  }
  const known = chained(series, cells, 'completionTokens');
  const expected = known === null ? unknownAnswerTokens : known * latest.completionTokens;
  const answer = maxOutputTokens > 0 ? Math.min(expected, maxOutputTokens) : expected;
  // A dollar for a million tokens is 1,000 nano-dollars for each.
  const cost = 1_000 * (price.inputUsdPerMillionTokens * request.features.promptTokensEstimate + price.outputUsdPerMillionTokens * answer);
  return { costNanoUsd: cost, latencyMs };
};

const chained = (series: ArmSeries | undefined, cells: readonly string[], field: Expected): number | null => {
  if (series === undefined) return null;
  let mean: number | null = null;
  for (const cell of cells) {
    const total = series.cells.get(cell)?.total;
    if (total === undefined) continue;
    const measured = total[fieldIndex.measured] ?? 0;
    const sum = total[fieldIndex[field]] ?? 0;
    if (measured > 0) mean = mean === null ? sum / measured : (sum + leaning * mean) / (measured + leaning);
  }
  return mean;
};

/** So many of the latest answers, whose mean must lie beyond this factor of the mean of all. */
const looks = [
  { answers: 4, factor: 6 },
  { answers: 16, factor: 2.5 },
  { answers: 64, factor: 1.5 },
] as const;

/** What is expected of a request; for each the factor by which the latest answers differ from all. */
type Expected = 'latencyMs' | 'costNanoUsd' | 'completionTokens';
type Factors = Readonly<Record<Expected, number>>;
const noFactors: Factors = { latencyMs: 1, costNanoUsd: 1, completionTokens: 1 };

/** Of the arm's version, so that an unchanged arm is not looked through again. */
const remembered = new WeakMap<ArmSeries, { readonly version: number; readonly latestTick: number; readonly factors: Factors }>();

const latestFactors = (series: ArmSeries, latestTick: number): Factors => {
  const known = remembered.get(series);
  if (known?.version === series.version && known.latestTick === latestTick) return known.factors;
  const all = series.cells.get(everyRequest);
  const factors: Factors =
    all === undefined
      ? noFactors
      : {
          latencyMs: factorOf(all, latestTick, 'latencyMs'),
          costNanoUsd: factorOf(all, latestTick, 'costNanoUsd'),
          completionTokens: factorOf(all, latestTick, 'completionTokens'),
        };
  remembered.set(series, { version: series.version, latestTick, factors });
  return factors;
};

const factorOf = (series: Series, latestTick: number, field: Expected): number => {
  partition(series, latestTick);
  const index = fieldIndex[field];
  const mean = (series.total[index] ?? 0) / (series.total[fieldIndex.measured] ?? 0);
  if (!(mean > 0)) return 1;
  let answers = 0;
  let sum = 0;
  let block = series.starts.length - 1;
  for (const look of looks) {
    for (; block >= 0 && answers < look.answers; block--) {
      answers += series.sums[block * fieldCount + fieldIndex.measured] ?? 0;
      sum += series.sums[block * fieldCount + index] ?? 0;
    }
    if (answers < look.answers) return 1;
    const ratio = sum / answers / mean;
    if (ratio > look.factor || ratio < 1 / look.factor) return ratio;
  }
  return 1;
};
