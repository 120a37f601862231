import { noDiagnostics, openDiagnostics, type Diagnostics as Found, type DiagnosticsTally } from '../../domain/evaluation/diagnostics.ts';
import type { IntervalOptions } from '../../domain/evaluation/intervals.ts';
import { PermanentError } from '../../errors.ts';
import { bootstrapAll } from './bootstrap-all.ts';
import type { Candidate } from './candidate.ts';
import { ownRecords, sampleOf, type Page, type PageSample, type WeighedPage } from './evaluated-page.ts';
import { refusalsOf, verdictOf, type Grounds } from './judgement.ts';
import { rejectionDifference, type OnPolicy } from './on-policy.ts';
import { openRarity } from './rarity.ts';
import { differenceOf, estimateOf } from './quantity-report.ts';
import { openQuantityTally, type QuantityResult, type QuantityTally } from './quantity-tally.ts';
import { quantities } from './quantities.ts';
import type {
  CandidateReport,
  Diagnostics,
  Difference,
  Estimate,
  EvaluationSettings,
  QuantityName,
  QuantityReport,
  Stretch,
} from './report.ts';
import type { RewardModel } from './reward-model.ts';
import { counted, grouped } from './sentences.ts';
import { withoutSpread, withUnsupported, type Unsupported } from './unsupported.ts';
import { candidateWarnings, censoredWarnings } from './warnings.ts';
import { outsideWarnings, rangeWarnings, rarityWarnings } from './estimate-warnings.ts';

/** One candidate, while records come in: all quantities, how far the log can speak for it, and at the end what is to be said of it. */
export type CandidateTally = {
  readonly add: (page: Page, weighed: WeighedPage) => void;
  readonly report: (onPolicy: OnPolicy, grounds: Grounds, overTime: readonly Stretch[]) => CandidateReport;
};

export const openCandidateTally = (
  candidate: Candidate,
  { settings, largestWeight }: { readonly settings: EvaluationSettings; readonly largestWeight: number | null },
  alphaEach: number,
  model: RewardModel | null,
): CandidateTally => {
  const { alpha, resamples, seed, force } = settings;
  const { name, file, kind, fingerprint, method } = candidate;
  const diagnostics: DiagnosticsTally = openDiagnostics();
  /** Of the records in which the candidate has a say; null: all. */
  const ownDiagnostics: DiagnosticsTally | null = candidate.isPartial === true ? openDiagnostics() : null;
  const censored = { weight: 0, evaluated: 0 };
  const rarities = new Map(judgedByRarity.map((quantity) => [quantity, openRarity()]));
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
      // One by one: sums do not depend on how records come in pages.
      for (const weight of weighed.censored) censored.weight += weight;
      for (const [quantity, tally] of tallies.entries()) {
        const asked = sampleOf(page, weighed, quantity);
        const sample = rejected(asked, weighed);
        if (quantity === 0) {
          const weighted = { ...sample, unsupported: asked.unsupported };
          diagnostics.add(weighted, weighted.weightVariance);
          if (ownDiagnostics !== null) {
            const own = ownRecords(weighted);
            ownDiagnostics.add(own, own.weightVariance);
          }
          for (let i = 0; i < sample.size; i++) censored.evaluated += (sample.candidate[i] ?? 0) / (sample.logged[i] ?? 1);
        }
        rarities.get(quantities[quantity]?.name ?? 'reward')?.add(sample);
        if (sample.size > 0) tally.add(sample);
      }
    },
    report: (onPolicy, grounds, overTime) => {
      found = diagnostics.finish();
      if (found === null) throw new PermanentError('nothing_to_evaluate', `${name}: expected records with an outcome, got none`);
      const own = ownDiagnostics === null ? found : (ownDiagnostics.finish() ?? noDiagnostics);
      const { isClustered } = grounds.clustering;
      const results = tallies.map((tally) => tally.finish({ isClustered }));
      const bootstraps = bootstrapAll(results, { alpha, resamples, seed });
      const reports = quantities.flatMap(({ name: quantity, better, bounded }, i): readonly QuantityReport[] => {
        const result = results[i];
        if (result === null || result === undefined) return [];
        const known = bounded && largestWeight !== null && !isClustered ? { outcomes: { low: 0, high: 1 }, largestWeight } : null;
        const limited: Limited = (part, of) => withUnsupported(own.effectiveSize === 0 ? withoutSpread(part) : part, of);
        const unsupported = { share: found?.unsupported ?? 0, isBounded: bounded, isRejection: method.name === 'rejection-replay' };
        const difference = differenceOf(result, alphaEach) ?? rejectionDifference(result, onPolicy, i, { alphaEach, isClustered });
        return [
          {
            quantity,
            better,
            records: result.records,
            recommended: result.recommended,
            estimates: estimates(result, { alpha, known }, bootstraps, limited, unsupported),
            difference: limited(difference, { ...unsupported, countsAsZero: result.recommended === 'ipw' }),
          },
        ];
      });
      const reward = reports.find(({ quantity }) => quantity === 'reward');
      if (reward === undefined) throw new PermanentError('nothing_to_evaluate', `${name}: expected records with a reward, got none`);
      const choices = censored.weight / Math.max(Number.MIN_VALUE, censored.weight + censored.evaluated);
      const refusals = refusalsOf(own, method.name, grounds, choices);
      return {
        ...{ name, file, kind, fingerprint },
        method:
          own.records === found.records
            ? method
            : { ...method, why: `${method.why}; it was in ${grouped(own.records)} of the ${counted(found.records, 'record')}` },
        quantities: reports,
        diagnostics: { ...shown(own), censored: choices },
        overTime,
        verdict: verdictOf(name, reward.difference, { refusals, force, clustering: grounds.clustering }),
        warnings: [
          ...candidate.warnings,
          ...candidateWarnings(own, method.name),
          ...censoredWarnings(choices, grounds.censored),
          ...rarityWarnings([...rarities].map(([quantity, rarity]) => ({ quantity, effective: rarity.finish() }))),
          ...rangeWarnings(reports),
          ...outsideWarnings(reports),
        ],
      };
    },
  };
};

/** The parts of the reward that are no yes or no have no rare side. */
const judgedByRarity: readonly QuantityName[] = ['reward', 'success', 'failureRate'];

/** In rejection replay a record counts as it is, or not at all. */
const rejected = (sample: PageSample, { accepted }: WeighedPage): PageSample =>
  accepted === null
    ? sample
    : {
        ...sample,
        candidate: sample.logged.map((logged, i) => (accepted[i] === 1 ? logged : 0)),
        unsupported: new Float64Array(sample.size),
        weightLimit: new Float64Array(sample.size).fill(1),
      };

/** A figure no surer than the log. */
type Limited = <Part extends Estimate | Difference>(part: Part, unsupported: Unsupported) => Part;

const estimates = (
  result: QuantityResult,
  options: Pick<IntervalOptions, 'alpha' | 'known'>,
  bootstraps: ReturnType<typeof bootstrapAll>,
  limited: Limited,
  unsupported: Omit<Unsupported, 'countsAsZero'>,
): QuantityReport['estimates'] =>
  result.estimates.map((estimate) => {
    const { estimator } = estimate.found;
    const made = estimateOf(estimate, result.tallied, {
      ...options,
      betting: estimator.name === result.recommended && estimate.tunedBy === null ? result.value : 'none',
      bootstrap: bootstraps.get(estimate.found) ?? null,
    });
    return limited(made, { ...unsupported, countsAsZero: !estimator.model && !estimator.normalised });
  });

const shown = (found: Found): Omit<Diagnostics, 'censored'> => ({
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
