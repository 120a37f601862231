import type { RecordedFeatures } from '../../events/index.ts';
import type { Price } from '../price.ts';
import { everyRequest, fieldIndex, type ArmSeries, type Evidence, type EvidenceField, type Series } from './evidence.ts';
import { partition } from './evidence.ts';

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
  const mean = (field: EvidenceField): number | null => (series === undefined ? null : chained(series, cells, field));
  const latest = (field: EvidenceField): number => (series === undefined ? 1 : latestFactor(series, evidence.latestTick, field));
  const latency = mean('latencyMs');
  const latencyMs = latency === null ? null : latency * latest('latencyMs');
  if (price === null) {
    const cost = mean('costNanoUsd');
    return { costNanoUsd: cost === null ? null : cost * latest('costNanoUsd'), latencyMs };
  }
  const known = mean('completionTokens');
  const expected = known === null ? unknownAnswerTokens : known * latest('completionTokens');
  const answer = maxOutputTokens > 0 ? Math.min(expected, maxOutputTokens) : expected;
  // A dollar for a million tokens is 1,000 nano-dollars for each.
  const cost = 1_000 * (price.inputUsdPerMillionTokens * request.features.promptTokensEstimate + price.outputUsdPerMillionTokens * answer);
  return { costNanoUsd: cost, latencyMs };
};

const chained = (series: ArmSeries, cells: readonly string[], field: EvidenceField): number | null => {
  let mean: number | null = null;
  for (const cell of cells) {
    const total = series.cells.get(cell)?.total;
    const measured = total?.[fieldIndex.measured] ?? 0;
    const sum = total?.[fieldIndex[field]] ?? 0;
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

/** Of the arm's version, so that an unchanged arm is not looked through again. */
const remembered = new WeakMap<ArmSeries, { version: number; latestTick: number; readonly factors: Map<EvidenceField, number> }>();

const latestFactor = (series: ArmSeries, latestTick: number, field: EvidenceField): number => {
  let known = remembered.get(series);
  if (known?.version !== series.version || known.latestTick !== latestTick) {
    known = { version: series.version, latestTick, factors: new Map() };
    remembered.set(series, known);
  }
  let factor = known.factors.get(field);
  if (factor === undefined) {
    const all = series.cells.get(everyRequest);
    factor = all === undefined ? 1 : factorOf(all, latestTick, field);
    known.factors.set(field, factor);
  }
  return factor;
};

const factorOf = (series: Series, latestTick: number, field: EvidenceField): number => {
  partition(series, latestTick);
  const index = fieldIndex[field];
  const mean = (series.total[index] ?? 0) / (series.total[fieldIndex.measured] ?? 0);
  if (!(mean > 0)) return 1;
  let answers = 0;
  let sum = 0;
  let block = series.blocks.length - 1;
  for (const look of looks) {
    for (; block >= 0 && answers < look.answers; block--) {
      answers += series.blocks[block]?.sums[fieldIndex.measured] ?? 0;
      sum += series.blocks[block]?.sums[index] ?? 0;
    }
    if (answers < look.answers) return 1;
    const ratio = sum / answers / mean;
    if (ratio > look.factor || ratio < 1 / look.factor) return ratio;
  }
  return 1;
};
