import { holmAdjusted } from '../../domain/comparison/holm.ts';
import { PermanentError } from '../../errors.ts';
import { openArmShares, withoutParts } from './arm-shares.ts';
import { openCandidateTally } from './candidate-tally.ts';
import type { Candidate } from './candidate.ts';
import { pageOf, teach, weighPage, type Page } from './evaluated-page.ts';
import { censoredShare, clusteringOf, type Grounds } from './judgement.ts';
import type { Drawn } from './drawn.ts';
import type { LoggedDecision } from '../logged/logged-decision.ts';
import type { Traffic } from '../logged/traffic.ts';
import { openOnPolicy } from './on-policy.ts';
import { openOverTime } from './over-time.ts';
import { quantities } from './quantities.ts';
import { recordBook } from './record-book.ts';
import { regretOf } from './regret.ts';
import type { CandidateReport, EvaluatedPeriod, EvaluationReport, EvaluationSettings, Source, Warning } from './report.ts';
import { openRewardModel } from './reward-model.ts';
import { recordWarnings } from './warnings.ts';

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
  /** Arms that the log ever drew, for records that do not name their candidates; null: not known. */
  readonly drawn?: Drawn | null;
  /** Of a yard's log: what else it holds of the period. */
  readonly traffic?: Traffic;
  /** What is known of the log before the first record. */
  readonly known?: readonly Warning[];
  /** Changes what came of a decision: other prices. */
  readonly alter?: (decision: LoggedDecision) => LoggedDecision;
  readonly onProgress?: (records: number) => void;
};

export const evaluate = async (input: EvaluationInput): Promise<EvaluationReport> => {
  const { candidates, settings, drawn = null, traffic = null } = input;
  if (candidates.length === 0) throw new PermanentError('no_candidates', 'expected at least one policy to evaluate, got none');
  const alphaEach = settings.alpha / candidates.length;
  const model = settings.rewardModel === 'none' ? null : openRewardModel(settings.rewardModel, quantities.length);
  if (model !== null && settings.rewardModel !== 'past') for await (const page of pages(input, recordBook())) teach(model, page);

  const book = recordBook();
  const tallies = candidates.map((candidate) => openCandidateTally(candidate, input, alphaEach, model));
  const onPolicy = openOnPolicy(settings.alpha, candidates.some(({ method }) => method.name === 'rejection-replay') ? alphaEach / 2 : null);
  const overTime = openOverTime({ candidates: candidates.length, hasModel: model !== null, alpha: settings.alpha });
  const armShares = openArmShares(candidates.length);
  for await (const page of pages(input, book)) {
    const weighed = await weighPage(page, candidates, model, { learns: settings.rewardModel === 'past', drawn });
    onPolicy.add(page);
    for (const [k, tally] of tallies.entries()) {
      const of = weighed[k];
      if (of !== undefined) tally.add(page, of);
    }
    overTime.add(page, weighed);
    armShares.add(page, weighed);
    input.onProgress?.(book.counts().read);
  }
  const counts = book.counts();
  if (counts.evaluated === 0)
    throw new PermanentError(
      'nothing_to_evaluate',
      `expected decisions with an outcome, got ${counts.read} decisions of which nothing came (yet)`,
    );

  const shares = armShares.finish();
  const grounds: Grounds = {
    clustering: clusteringOf(counts, onPolicy.effectiveClusters()),
    censored: censoredShare(counts),
    namesCandidates: shares.untold === 0,
  };
  // Parts of a period are parts of its time.
  const { evenness, drift, stretches } = book.isInOrder() ? overTime.finish() : { evenness: null, drift: null, stretches: [] };
  const reports = tallies.map((tally, k) => tally.report(onPolicy, grounds, stretches[k] ?? []));
  const division = book.isInOrder() ? shares : withoutParts(shares);
  const control = { comparisons: candidates.length, alphaEach, adjustment: 'holm' } as const;
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
    exploration: { ...book.exploration(), evenness },
    division,
    traffic,
    candidates: adjusted(reports),
    regret: regretOf(reports, { control, withChoice: division.withChoice + division.untold, force: settings.force }),
    control,
    warnings: [
      ...(input.known ?? []),
      ...recordWarnings({
        counts,
        answeredFromCache: traffic?.answeredFromCache ?? 0,
        policies: book.loggers().length,
        weightsChanged: settings.weights === null && book.weightsChanged(),
        drift,
        clustering: grounds.clustering,
        isInOrder: book.isInOrder(),
        looksBack: settings.rewardModel === 'past',
      }),
    ],
  };
};

async function* pages(
  { records, alter = (decision) => decision, settings }: EvaluationInput,
  book: ReturnType<typeof recordBook>,
): AsyncGenerator<Page, void, undefined> {
  for await (const batch of records()) {
    const asked = batch.filter(book.isNew).map(alter);
    if (asked.length > 0) yield pageOf(asked, settings.weights);
  }
}

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
