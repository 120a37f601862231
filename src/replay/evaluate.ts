import { holmAdjusted } from '../domain/comparison/holm.ts';
import { openDiagnostics, type Diagnostics as Found, type DiagnosticsTally } from '../domain/evaluation/diagnostics.ts';
import type { IntervalOptions } from '../domain/evaluation/intervals.ts';
import { PermanentError } from '../errors.ts';
import type { Candidate } from './candidate.ts';
import { bootstrapAll } from './bootstrap-all.ts';
import { pageOf, sampleOf, teach, weighPage, type Page, type PageSample, type WeighedPage } from './evaluated-page.ts';
import { censoredShare, clusteringOf, refusalsOf, verdictOf, type Grounds } from './judgement.ts';
import type { LoggedDecision } from './logged-decision.ts';
import { openOnPolicy, rejectionDifference, type OnPolicy } from './on-policy.ts';
import { openQuantityTally, differenceOf, estimateOf, type QuantityResult, type QuantityTally } from './quantity-tally.ts';
import { quantities } from './quantities.ts';
import { recordBook } from './record-book.ts';
import type {
  CandidateReport,
  Diagnostics,
  EvaluatedPeriod,
  EvaluationReport,
  EvaluationSettings,
  QuantityReport,
  Source,
  Stretch,
} from './report.ts';
import { openRewardModel, type RewardModel } from './reward-model.ts';
import { openStretches, valueWithInterval } from './stretches.ts';
import { candidateWarnings, rangeWarnings, recordWarnings } from './warnings.ts';

/**
 * From logged decisions and candidates to a report, in one pass over the records (two where the reward model looks at later ones) and in memory that does not depend on how many there are.
 */
export type EvaluationInput = {
  /** Opened once for each pass. */
  readonly records: () => AsyncIterable<readonly LoggedDecision[]>;
  readonly candidates: readonly Candidate[];
  readonly settings: EvaluationSettings;
  readonly source: Source;
  readonly period: Pick<EvaluatedPeriod, 'fromSequence' | 'toSequence' | 'tenant' | 'outcomesUpTo'>;
  readonly command: string;
  readonly madeAt: string;
  /** What no weight can exceed, known before the log was: 1 / floor of the logger. Null: not known. */
  readonly largestWeight: number | null;
  /** Changes what came of a decision: other prices. */
  readonly alter?: (decision: LoggedDecision) => LoggedDecision;
  readonly onProgress?: (records: number) => void;
};

export const evaluate = async (input: EvaluationInput): Promise<EvaluationReport> => {
  const { candidates, settings } = input;
  if (candidates.length === 0) throw new PermanentError('no_candidates', 'expected at least one policy to evaluate, got none');
  const alphaEach = settings.alpha / candidates.length;
  const model = settings.rewardModel === 'none' ? null : openRewardModel(settings.rewardModel, quantities.length);
  if (model !== null && settings.rewardModel !== 'past') for await (const page of pages(input, recordBook())) teach(model, page);

  const book = recordBook();
  const sides = candidates.map((candidate) => openSide(candidate, input, alphaEach, model));
  const onPolicy = openOnPolicy(settings.alpha, candidates.some(({ method }) => method.name === 'rejection-replay') ? alphaEach / 2 : null);
  const stretches = openStretches(2 + candidates.length);
  for await (const page of pages(input, book)) {
    const weighed = await weighPage(page, candidates, model, { learns: settings.rewardModel === 'past' });
    onPolicy.add(page);
    for (const [k, side] of sides.entries()) {
      const of = weighed[k];
      if (of !== undefined) side.add(page, of);
    }
    addToStretches(stretches, page, weighed, model !== null);
    input.onProgress?.(book.counts().read);
  }
  const counts = book.counts();
  if (counts.evaluated === 0)
    throw new PermanentError(
      'nothing_to_evaluate',
      `expected decisions with an outcome, got ${counts.read} decisions of which nothing came (yet)`,
    );

  const grounds: Grounds = { clustering: clusteringOf(counts), censored: censoredShare(counts) };
  const means = stretches.finish();
  const evenness = means.flatMap((one) => {
    const found = one.of(0);
    return found === null ? [] : [{ firstAt: iso(one.firstAtMs), records: found.count, mean: found.mean }];
  });
  const reports = sides.map((side, k) =>
    side.report(
      onPolicy,
      grounds,
      means.map((one): Stretch => ({
        firstAt: iso(one.firstAtMs),
        lastAt: iso(one.lastAtMs),
        records: one.records,
        candidate: valueWithInterval(one.of(2 + k), settings.alpha),
        logger: valueWithInterval(one.of(1), settings.alpha),
      })),
    ),
  );
  return {
    version: 1,
    madeAt: input.madeAt,
    command: input.command,
    source: input.source,
    period: { ...input.period, ...book.times(), timeZone: 'UTC' },
    settings,
    counts,
    loggers: book.loggers(),
    onPolicy: onPolicy.finish(grounds.clustering),
    exploration: { ...book.exploration(), evenness: evenness.length === 0 ? null : evenness },
    candidates: adjusted(reports),
    control: { comparisons: candidates.length, alphaEach, adjustment: 'holm' },
    warnings: recordWarnings({
      counts,
      policies: book.loggers().length,
      weightsChanged: settings.weights === null && book.weightsChanged(),
      dearestDrift: driftOf(evenness),
    }),
  };
};

async function* pages(
  { records, alter = (decision) => decision, settings }: EvaluationInput,
  book: ReturnType<typeof recordBook>,
): AsyncGenerator<Page, void, undefined> {
  for await (const batch of records()) {
    const kept = batch.filter(book.keeps).map(alter);
    if (kept.length > 0) yield pageOf(kept, settings.weights);
  }
}

/** One candidate, while records come in. */
type Side = {
  readonly add: (page: Page, weighed: WeighedPage) => void;
  readonly report: (onPolicy: OnPolicy, grounds: Grounds, overTime: readonly Stretch[]) => CandidateReport;
};

const openSide = (
  candidate: Candidate,
  { settings, largestWeight }: EvaluationInput,
  alphaEach: number,
  model: RewardModel | null,
): Side => {
  const { alpha, resamples, seed, force } = settings;
  const { name, file, kind, fingerprint, method } = candidate;
  const diagnostics: DiagnosticsTally = openDiagnostics();
  let found: Found | null = null;
  const hasModel = model !== null && method.name !== 'rejection-replay';
  const tallies: readonly QuantityTally[] = quantities.map((quantity) =>
    openQuantityTally(quantity, {
      alpha,
      alphaEach,
      largestWeight,
      hasModel,
      method: method.name,
      isTuned: quantity.name === 'reward' && method.name !== 'rejection-replay',
      weights: () => found,
    }),
  );
  return {
    add: (page, weighed) => {
      for (const [quantity, tally] of tallies.entries()) {
        const sample = rejected(sampleOf(page, weighed, quantity), weighed);
        if (quantity === 0) diagnostics.add(sample, sample.weightVariance);
        if (sample.size > 0) tally.add(sample);
      }
    },
    report: (onPolicy, grounds, overTime) => {
      found = diagnostics.finish();
      if (found === null) throw new PermanentError('nothing_to_evaluate', `${name}: expected records with an outcome, got none`);
      const results = tallies.map((tally) => tally.finish());
      const bootstraps = bootstrapAll(results, { alpha, resamples, seed });
      const reports = quantities.flatMap(({ name: quantity, better, bounded }, i): readonly QuantityReport[] => {
        const result = results[i];
        if (result === null || result === undefined) return [];
        const known =
          bounded && largestWeight !== null && !grounds.clustering.isClustered ? { outcomes: { low: 0, high: 1 }, largestWeight } : null;
        const difference = differenceOf(result, alphaEach) ?? rejectionDifference(result, onPolicy, i, alphaEach);
        return [
          {
            quantity,
            better,
            records: result.records,
            recommended: result.recommended,
            estimates: estimates(result, { alpha, known }, bootstraps),
            difference,
          },
        ];
      });
      const reward = reports.find(({ quantity }) => quantity === 'reward');
      if (reward === undefined) throw new PermanentError('nothing_to_evaluate', `${name}: expected records with a reward, got none`);
      const refusals = refusalsOf(found, method.name, grounds);
      return {
        ...{ name, file, kind, fingerprint, method },
        quantities: reports,
        diagnostics: shown(found),
        overTime,
        verdict: verdictOf(name, reward.difference, { refusals, force, clustering: grounds.clustering }),
        warnings: [...candidate.warnings, ...candidateWarnings(found, method.name), ...rangeWarnings(reports)],
      };
    },
  };
};

/** In rejection replay a record counts as it is, or not at all. */
const rejected = (sample: PageSample, { accepted }: WeighedPage): PageSample =>
  accepted === null
    ? sample
    : {
        ...sample,
        candidate: sample.logged.map((logged, i) => (accepted[i] === 1 ? logged : 0)),
        unsupported: new Float64Array(sample.size),
      };

const estimates = (
  result: QuantityResult,
  options: Pick<IntervalOptions, 'alpha' | 'known'>,
  bootstraps: ReturnType<typeof bootstrapAll>,
): QuantityReport['estimates'] =>
  result.estimates.map((estimate) =>
    estimateOf(estimate, result.tallied, {
      ...options,
      betting: estimate.found.estimator.name === result.recommended && estimate.tunedBy === null ? result.value : 'none',
      bootstrap: bootstraps.get(estimate.found) ?? null,
    }),
  );

/** Evenness of the logger, outcome, and for each candidate the term of the recommended estimator. */
const addToStretches = (
  stretches: ReturnType<typeof openStretches>,
  page: Page,
  weighed: readonly WeighedPage[],
  hasModel: boolean,
): void => {
  const values = new Float64Array(2 + weighed.length);
  const reward = page.outcomes[0];
  page.decisions.forEach(({ candidates, atMs }, i) => {
    const r = reward?.[i] ?? NaN;
    values[0] = candidates === null ? NaN : evennessOf(candidates.propensities);
    values[1] = r;
    weighed.forEach(({ candidate, predicted, expected, accepted }, k) => {
      const w = (candidate[i] ?? 0) / (page.logged[i] ?? 1);
      const [q, d] = hasModel ? [predicted[0]?.[i] ?? 0, expected[0]?.[i] ?? 0] : [0, 0];
      values[2 + k] = accepted === null ? d + w * (r - q) : accepted[i] === 1 ? r : NaN;
    });
    stretches.add(atMs, values);
  });
};

/** Entropy divided by that of equal probabilities; NaN where there was no choice. */
const evennessOf = (propensities: readonly number[]): number => {
  if (propensities.length < 2) return NaN;
  let entropy = 0;
  for (const propensity of propensities) if (propensity > 0) entropy -= propensity * Math.log(propensity);
  return entropy / Math.log(propensities.length);
};

const notableDrift = 0.1;
const driftOf = (evenness: readonly { readonly mean: number }[]): { readonly from: number; readonly to: number } | null => {
  const [first, last] = [evenness[0]?.mean, evenness.at(-1)?.mean];
  return first === undefined || last === undefined || Math.abs(first - last) < notableDrift ? null : { from: first, to: last };
};

const shown = (found: Found): Diagnostics => ({
  records: found.records,
  effectiveRecords: found.effectiveSize,
  meanWeight: found.meanWeight,
  largestWeight: found.mostWeight,
  unsupported: found.unsupported,
  neverChosen: Math.round(found.weightlessShare * found.records),
  histogram: [
    { from: 0, to: 0, records: found.histogram.zero },
    ...found.histogram.bins.map(({ from, to, count }) => ({ from, to: Number.isFinite(to) ? to : null, records: count })),
  ],
});

/** One control of error over all candidates, each quantity by itself. */
const adjusted = (reports: readonly CandidateReport[]): readonly CandidateReport[] => {
  const byQuantity = new Map(
    quantities.map(({ name }) => [
      name,
      holmAdjusted(reports.map((report) => report.quantities.find(({ quantity }) => quantity === name)?.difference.p ?? null)),
    ]),
  );
  return reports.map((report, k) => ({
    ...report,
    quantities: report.quantities.map((one) => ({
      ...one,
      difference: { ...one.difference, pAdjusted: byQuantity.get(one.quantity)?.[k] ?? null },
    })),
  }));
};

const iso = (ms: number): string => new Date(ms).toISOString();
