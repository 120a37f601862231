import { studentQuantile, studentTail } from '../../domain/comparison/student-t.ts';
import { defaultEstimators } from '../../domain/evaluation/estimators.ts';
import { openBettingSequence } from '../../domain/evaluation/intervals/betting.ts';
import type { Interval as Ends } from '../../domain/evaluation/intervals/interval.ts';
import { ofOwnClusters, openTally } from '../../domain/evaluation/tally.ts';
import { sampleOf, type Page, type WeighedPage } from './evaluated-page.ts';
import { intervalsOf, standardErrorOf } from './quantity-report.ts';
import type { QuantityResult } from './quantity-tally.ts';
import { quantities } from './quantities.ts';
import type { Difference, OnPolicyValue } from './report.ts';

/** What the decisions as they were logged came to: the logger as its own candidate, every weight 1. Records of one cluster go together, as in `quantity-tally.ts`. */
export type OnPolicy = {
  readonly add: (page: Page) => void;
  /** See `Tallied`. */
  readonly effectiveClusters: () => number;
  /** `isClustered`: several records belong to one cluster. */
  readonly finish: (options: { readonly isClustered: boolean }) => readonly OnPolicyValue[];
  /** Mean and standard error of a quantity, and its interval by betting at half the level of a comparison. */
  readonly of: (
    quantity: number,
    options: { readonly isClustered: boolean },
  ) => { readonly mean: number; readonly error: number; readonly atHalf: Ends | null } | null;
};

/** `atHalf`: null where no candidate asks for it. */
export const openOnPolicy = (alpha: number, half: number | null): OnPolicy => {
  const sides = quantities.map(({ bounded }) => ({
    tally: openTally({ estimators: defaultEstimators.filter(({ name }) => name === 'ipw') }),
    betting: bounded ? openBettingSequence({ alpha, largestWeight: 1 }) : null,
    atHalf: bounded && half !== null ? openBettingSequence({ alpha: half, largestWeight: 1 }) : null,
  }));
  const valueOf = (quantity: number, { isClustered }: { readonly isClustered: boolean }) => {
    const tallied = sides[quantity]?.tally.finish() ?? null;
    const found = tallied?.estimates.get('ipw');
    return tallied === null || found === undefined ? null : { tallied: isClustered ? tallied : ofOwnClusters(tallied), found };
  };
  return {
    add: (page) => {
      const itself = asCandidate(page);
      for (const [quantity, { tally, betting, atHalf }] of sides.entries()) {
        const sample = sampleOf(page, itself, quantity);
        if (sample.size === 0) continue;
        tally.add(sample);
        betting?.add(sample);
        atHalf?.add(sample);
      }
    },
    effectiveClusters: () => valueOf(0, { isClustered: true })?.tallied.effectiveClusters ?? 0,
    finish: ({ isClustered }) =>
      quantities.flatMap(({ name, bounded }, quantity): readonly OnPolicyValue[] => {
        const value = valueOf(quantity, { isClustered });
        if (value === null) return [];
        const { found, tallied } = value;
        const betting: Ends | null | 'none' = sides[quantity]?.betting?.interval() ?? 'none';
        return [
          {
            quantity: name,
            records: found.terms.count,
            mean: found.value,
            intervals: intervalsOf(found, tallied, {
              alpha,
              known: bounded && !isClustered ? ownBounds : null,
              betting,
              bootstrap: 'none',
            }),
          },
        ];
      }),
    of: (quantity, options) => {
      const value = valueOf(quantity, options);
      const error = value === null ? null : standardErrorOf(value.found, value.tallied);
      return value === null || error === null
        ? null
        : { mean: value.found.value, error, atHalf: sides[quantity]?.atHalf?.interval() ?? null };
    },
  };
};

/** Every weight is 1, and no outcome of a bounded quantity leaves 0..1. */
const ownBounds = { outcomes: { low: 0, high: 1 }, largestWeight: 1 } as const;

const asCandidate = ({ logged }: Page): WeighedPage => {
  const none = new Float64Array(logged.length);
  const nothing = quantities.map(() => none);
  return {
    weighings: [],
    candidate: logged,
    unsupported: none,
    weightVariance: none,
    weightLimit: new Float64Array(logged.length).fill(1),
    accepted: null,
    own: null,
    censored: [],
    predicted: nothing,
    expected: nothing,
    expectedOfLogger: nothing,
  };
};

/**
 * Rejection replay keeps few records, and the logger's mean is over all of them: the two are taken for independent, which is wider than they are as long as what is accepted goes with the whole. The interval for all times is that of
 * either value, each wrong with half the probability.
 */
export const rejectionDifference = (
  result: QuantityResult,
  onPolicy: OnPolicy,
  quantity: number,
  { alphaEach, isClustered }: { readonly alphaEach: number; readonly isClustered: boolean },
): Difference => {
  const found = result.estimates[0]?.found;
  const logger = onPolicy.of(quantity, { isClustered });
  if (found === undefined || logger === null) return { value: 0, intervals: [], p: null, pAdjusted: null };
  const value = found.value - logger.mean;
  const error = Math.hypot(standardErrorOf(found, result.tallied) ?? 0, logger.error);
  const degrees = Math.max(1, Math.min(acceptedOf(found), result.tallied.groupSizes.length) - 1);
  const width = error === 0 ? null : studentQuantile(alphaEach, degrees) * error;
  const [own, others] = [result.valueAtHalf, logger.atHalf];
  const sequence =
    own === 'none' || others === null
      ? []
      : [{ low: own === null ? null : own.low - others.high, high: own === null ? null : own.high - others.low }];
  const confidence = 1 - alphaEach;
  return {
    value,
    intervals: [
      ...sequence.map((ends) => ({ method: 'betting', guarantee: 'anytime' as const, confidence, ...ends })),
      {
        method: 'student',
        guarantee: 'fixed-size',
        confidence,
        low: width === null ? null : value - width,
        high: width === null ? null : value + width,
      },
    ],
    p: error === 0 ? null : studentTail(value / error, degrees),
    pAdjusted: null,
  };
};

/** Accepted records have weight 1, the others 0. */
const acceptedOf = ({ sums }: QuantityResult['estimates'][number]['found']): number =>
  sums.normalised?.weights.reduce((total, weight) => total + weight, 0) ?? 0;
