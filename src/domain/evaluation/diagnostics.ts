import { addTo, sumOf, zeroSum } from './compensated-sum.ts';
import type { Sample } from './sample.ts';
import { openHistogram, type WeightHistogram } from './weight-histogram.ts';

/** How far the log can speak for the candidate: w = candidate's probability of the logged action / logged probability. */
export type Diagnostics = {
  readonly records: number;
  /** (sum of w)^2 / sum of w^2 (Kish 1965): as many records of equal weight would say as much. 0 where every weight is 0. */
  readonly effectiveSize: number;
  readonly meanWeight: number;
  readonly meanSquareWeight: number;
  readonly mostWeight: number;
  /** Share of the records whose action the candidate would never choose. */
  readonly weightlessShare: number;
  /** Mean probability with which the candidate chooses what the logger could not have chosen. */
  readonly unsupported: number;
  readonly leastLogged: number;
  /**
   * Where the logged probabilities are true, mean weight + unsupported is 1 on average. By how many standard errors it is off: beyond about 4 the log does not hold the probabilities with which it was made.
   * The standard error is that of the sample, or the one that the logged probabilities give where that is larger: an arm that is seldom drawn, and was not, shows in the latter alone. Infinite where it is off, all weights are alike and the
   * log holds no other probability than that of the chosen action.
   */
  readonly weightErrors: number;
  readonly histogram: WeightHistogram;
};

export type DiagnosticsTally = {
  /** `weightVariance`: by record, of the weight given the logged probabilities of all actions, e^2 / p summed over them less the square of the supported e; NaN where they are not known. */
  readonly add: (sample: Sample, weightVariance?: Float64Array) => void;
  /** Null without records. */
  readonly finish: () => Diagnostics | null;
};

export const openDiagnostics = (): DiagnosticsTally => {
  const weights = zeroSum();
  const squares = zeroSum();
  const unsupported = zeroSum();
  /** Of w + unsupported - 1, whose mean is 0: small numbers, so that squares of a log that is nearly the candidate's own do not cancel. */
  const excess = zeroSum();
  const excessSquares = zeroSum();
  const expectedVariance = zeroSum();
  const histogram = openHistogram();
  let records = 0;
  let weightless = 0;
  let mostWeight = 0;
  let leastLogged = Infinity;

  const take = (logged: number, candidate: number, missed: number): void => {
    const w = candidate / logged;
    const off = w - 1 + missed;
    addTo(weights, w);
    addTo(squares, w * w);
    addTo(unsupported, missed);
    addTo(excess, off);
    addTo(excessSquares, off * off);
    histogram.add(w);
    if (w === 0) weightless++;
    mostWeight = Math.max(mostWeight, w);
    leastLogged = Math.min(leastLogged, logged);
  };
  return {
    add: ({ size, logged, candidate, unsupported: missed }, weightVariance) => {
      for (let i = 0; i < size; i++) {
        take(logged[i] ?? 0, candidate[i] ?? 0, missed[i] ?? 0);
        addTo(expectedVariance, weightVariance?.[i] ?? NaN);
      }
      records += size;
    },
    finish: () => {
      if (records === 0) return null;
      const squareSum = sumOf(squares);
      return {
        records,
        effectiveSize: squareSum === 0 ? 0 : sumOf(weights) ** 2 / squareSum,
        meanWeight: sumOf(weights) / records,
        meanSquareWeight: squareSum / records,
        mostWeight,
        weightlessShare: weightless / records,
        unsupported: sumOf(unsupported) / records,
        leastLogged,
        weightErrors: standardErrors(sumOf(excess) / records, sumOf(excessSquares) / records, sumOf(expectedVariance), records),
        histogram: histogram.finish(),
      };
    },
  };
};

/** Of no records at all. */
export const noDiagnostics: Diagnostics = {
  records: 0,
  effectiveSize: 0,
  meanWeight: 0,
  meanSquareWeight: 0,
  mostWeight: 0,
  weightlessShare: 0,
  unsupported: 0,
  leastLogged: Infinity,
  weightErrors: 0,
  histogram: openHistogram().finish(),
};

const rounding = 1e-12;

/** `expected`: sum of the variances under the logged probabilities, NaN where they are not known. */
const standardErrors = (mean: number, meanSquare: number, expected: number, records: number): number => {
  if (Math.abs(mean) < rounding) return 0;
  const variance = Math.max(0, meanSquare - mean * mean);
  const observed = variance / (records - 1);
  return Math.abs(mean) / Math.sqrt(Number.isNaN(expected) ? observed : Math.max(observed, expected / records ** 2));
};
