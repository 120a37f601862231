import { loadConfig } from '../config/load.ts';
import { disabledSince } from '../replay/evaluation/arms-of-period.ts';
import { evaluate } from '../replay/evaluation/evaluate.ts';
import type { EvaluationReport, Warning } from '../replay/evaluation/report.ts';
import { counted, grouped } from '../replay/evaluation/sentences.ts';
import { lostBound } from '../replay/evaluation/warnings.ts';
import { repricing } from '../replay/evaluation/what-if.ts';
import { armsOfLog } from '../replay/interchange/arms-of-log.ts';
import type { LogEnd } from '../replay/interchange/log-format.ts';
import { readLog, readLogHeader } from '../replay/interchange/read-log.ts';
import type { LoggedDecision } from '../replay/logged/logged-decision.ts';
import { weightBound } from '../replay/logged/weight-bound.ts';
import { commandLine, requireDistinct, singleArms, type EvaluateOptions } from './evaluate.ts';
import { settingsOf } from './evaluate-settings.ts';
import { usageError } from './exit-codes.ts';
import { candidateOf } from './file-candidate.ts';
import { requireMeasured, requirePrices, surveyOf, type Survey } from './file-survey.ts';
import { requireOrder } from './period.ts';
import { openProgress } from './progress.ts';
import { requireFile } from './require-file.ts';
import type { Terminal } from './terminal.ts';

/**
 * Policies over a file of logged decisions; asks no yard. The file is read once to see what is in it, and again to evaluate. Where its records are requests policies are those of `policy activate`, over the arms that the header and the records name; where they
 * are slots of another system, distributions over arms.
 */
export const evaluateFile = async (terminal: Terminal, options: EvaluateOptions, file: string): Promise<EvaluationReport> => {
  if (options.learning !== undefined)
    throw usageError('--learning: expected a log of the yard, without --file: a file does not hold what a policy learns from');
  if (options.outcomesUpTo !== undefined)
    throw usageError('--outcomes-up-to: expected a log of the yard, without --file: a file holds outcomes as they stood when it was made');
  requireOrder(options);
  requireFile(file);
  const signal = terminal.interrupted();
  const read = () => within(readLog(file), options, signal);
  const header = await readLogHeader(file);
  let end: LogEnd = { records: 0 };
  const surveyed = within(readLog(file, { onEnd: (last) => (end = last) }), options, signal);
  const seen = await surveyOf(surveyed, file, options);
  const offered = {
    weights: header.weights ?? usualWeights,
    arms: armsOfLog(header, seen.arms),
    isSurelyAll: (header.arms ?? null) !== null || seen.namesCandidates,
  };
  const bound = weightBound(header.largestWeight ?? null, seen.leastPropensity);
  requirePrices(
    options,
    offered.arms.map(({ arm }) => arm),
    seen,
  );
  requireMeasured(options, seen);
  const inOrder = foundInOrder(options, seen, terminal.note);
  const policies = await Promise.all(options.policy.map((one) => candidateOf(one, options, offered, seen, terminal.note)));
  const candidates = [...policies, ...singleArms(options, seen.arms.toSorted())];
  requireDistinct(candidates.map(({ name }) => name));
  const progress = openProgress('evaluating', seen.records);
  try {
    return await evaluate({
      records: read,
      candidates,
      settings: settingsOf(inOrder),
      source: { kind: 'file', file },
      period: { fromSequence: null, toSequence: null, tenant: options.tenant ?? null, outcomesUpTo: null },
      command: commandLine(inOrder, null),
      madeAt: new Date().toISOString(),
      largestWeight: bound.largest,
      drawn: seen.drawn,
      known: [...disabledSince(offered.arms, seen.arms), ...lostBound(bound, seen.leastPropensity), ...leftWarnings(end)],
      alter:
        options.price === undefined
          ? (decision) => decision
          : repricing(options.price, loadConfig({ file: options.config }).config.reward.costTargetUsd),
      onProgress: progress.update,
    });
  } finally {
    progress.stop();
  }
};

const usualWeights = { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 };

/** A model that learns from the records before stands on their order. */
const foundInOrder = (options: EvaluateOptions, { isInOrder }: Survey, note: Terminal['note']): EvaluateOptions => {
  if (isInOrder || options.rewardModel !== 'past') return options;
  note(
    'the records do not come in the order of time: the reward model is cross-fitted, in place of predicting each record from those before it',
  );
  return { ...options, rewardModel: 'cross-fitted' };
};

/** Of an imported log: what it held that the file does not, and what may be in it twice. */
const leftWarnings = ({ records, skipped = 0, copies = 0 }: LogEnd): readonly Warning[] => [
  ...(skipped > 0
    ? [
        {
          code: 'skipped',
          what: `${counted(skipped, 'row')} of ${grouped(skipped + records)} could not be read when the log was imported`,
          consequence: 'they are in no value: if what is wrong with them goes with what came of them, every value is off',
        },
      ]
    : []),
  ...(copies > 0
    ? [
        {
          code: 'copies',
          what: `${grouped(copies)} of ${counted(records, 'record')} ${copies === 1 ? 'says' : 'say'} the same as an earlier one in all columns`,
          consequence:
            'where they are copies they count twice, and every interval is too narrow: import the log once; coarse times make such rows, too',
        },
      ]
    : []),
];

async function* within(
  batches: AsyncIterable<readonly LoggedDecision[]>,
  { from, to, tenant }: EvaluateOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly LoggedDecision[], void, undefined> {
  const place = [from, to].find((one) => one?.kind === 'sequence');
  if (place !== undefined) throw usageError('--from, --to: expected a time, as records of a file have no place in the log');
  const fromMs = from?.kind === 'time' ? from.timeMs : -Infinity;
  const toMs = to?.kind === 'time' ? to.timeMs : Infinity;
  for await (const batch of batches) {
    signal.throwIfAborted();
    yield batch.filter((one) => one.atMs >= fromMs && one.atMs <= toMs && (tenant === undefined || one.tenant === tenant));
  }
}
