import path from 'node:path';
import { loadPolicyFile } from '../config/policy-file.ts';
import { named, type PolicyContent } from '../domain/routing/policy-version.ts';
import { emptySnapshot } from '../domain/routing/snapshot.ts';
import { distributionCandidate, frozenCandidate, type Candidate } from '../replay/evaluation/candidate.ts';
import { evaluate } from '../replay/evaluation/evaluate.ts';
import { armsOf, distributionOf, slotsOf } from '../replay/interchange/action-distribution.ts';
import { armsOfLog } from '../replay/interchange/arms-of-log.ts';
import { readActionDistribution } from '../replay/interchange/read-action-distribution.ts';
import { readLog, readLogHeader } from '../replay/interchange/read-log.ts';
import type { LoggedDecision } from '../replay/logged/logged-decision.ts';
import type { EvaluationReport } from '../replay/evaluation/report.ts';
import { lostBound, weightBound } from '../replay/logged/weight-bound.ts';
import { repricing } from '../replay/evaluation/what-if.ts';
import { loadConfig } from '../config/load.ts';
import { commandLine, requireDistinct, requireKnownPrices, singleArms, type EvaluateOptions } from './evaluate.ts';
import { settingsOf } from './evaluate-settings.ts';
import { openDrawn, type Drawn } from '../replay/evaluation/drawn.ts';
import { openOrder } from '../replay/evaluation/order.ts';
import { usageError } from './exit-codes.ts';
import { grouped } from './numbers.ts';
import { requireOrder } from './period.ts';
import { openProgress } from './progress.ts';
import { requireFile, requireReadable } from './require-file.ts';
import { excerpt, type Terminal } from './terminal.ts';

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
  const seen = await survey(read(), file);
  const content = { weights: header.weights ?? usualWeights, arms: armsOfLog(header, seen.arms) };
  const isSurelyAll = (header.arms ?? null) !== null || seen.namesCandidates;
  if (options.policy.includes('uniform') && !isSurelyAll)
    terminal.note(
      `uniform: over the ${grouped(content.arms.length)} arms that the records name; were there others, import --item-context, or a table of probabilities, tells them`,
    );
  const bound = weightBound(header.largestWeight ?? null, seen.leastPropensity);
  const lost = lostBound(bound, seen.leastPropensity);
  if (lost !== null) terminal.note(lost);
  requirePrices(options, content, seen);
  const inOrder = foundInOrder(options, seen, terminal.note);
  const policies = await Promise.all(options.policy.map((one) => candidateOf(one, options, content, seen, terminal.note)));
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

type Survey = {
  readonly records: number;
  readonly arms: readonly string[];
  readonly drawn: Drawn;
  /** Whether each record says what else could have been chosen. */
  readonly namesCandidates: boolean;
  readonly kind: LoggedDecision['context']['kind'];
  readonly firstAtMs: number;
  readonly leastPropensity: number;
  readonly isInOrder: boolean;
  /** Of slots; 0 where the records are requests. */
  readonly slots: number;
  /** Whether tokens were counted in any record. */
  readonly hasTokens: boolean;
};

const mostArms = 65_536;
const nameInWords = (name: string): string => excerpt(name, 64);

const survey = async (batches: AsyncIterable<readonly LoggedDecision[]>, file: string): Promise<Survey> => {
  const arms = new Set<string>();
  const drawn = openDrawn();
  const order = openOrder();
  let namesCandidates = true;
  let records = 0;
  let first: LoggedDecision | null = null;
  let leastPropensity = 1;
  let slots = 0;
  let hasTokens = false;
  for await (const batch of batches)
    for (const decision of batch) {
      first ??= decision;
      if (decision.context.kind !== first.context.kind)
        throw usageError(
          `${file}: expected records of one kind, the first is a ${first.context.kind}; got a ${decision.context.kind}, ${excerpt(decision.id, 64)}`,
        );
      records++;
      order.add(decision.atMs);
      leastPropensity = Math.min(leastPropensity, decision.propensity);
      if (decision.context.kind === 'slot') slots = Math.max(slots, decision.context.slot + 1);
      hasTokens ||= (decision.outcome?.tokens ?? null) !== null;
      drawn.add(decision);
      namesCandidates &&= decision.candidates !== null;
      for (const arm of decision.candidates?.arms ?? [decision.arm]) arms.add(arm);
      if (arms.size > mostArms) throw usageError(`${file}: expected at most ${mostArms} arms, got more`);
    }
  if (first === null) throw usageError(`${file}: expected decisions in the period, got none`);
  return {
    records,
    arms: [...arms],
    drawn,
    namesCandidates,
    kind: first.context.kind,
    firstAtMs: first.atMs,
    leastPropensity,
    isInOrder: order.isKept(),
    slots,
    hasTokens,
  };
};

/** A model that learns from the records before stands on their order. */
const foundInOrder = (options: EvaluateOptions, { isInOrder }: Survey, note: Terminal['note']): EvaluateOptions => {
  if (isInOrder || options.rewardModel !== 'past') return options;
  note(
    'the records do not come in the order of time: the reward model is cross-fitted, in place of predicting each record from those before it',
  );
  return { ...options, rewardModel: 'cross-fitted' };
};

/** What a price is asked of must be there, and tokens for it to count. */
const requirePrices = ({ price }: EvaluateOptions, { arms }: Content, { hasTokens }: Survey): void => {
  if (price === undefined) return;
  requireKnownPrices(
    price,
    arms.map(({ arm }) => arm),
  );
  if (!hasTokens)
    throw usageError('--price, --prices: expected records with tokens, from which a cost under another price follows; got none');
};

/** What policies for requests choose by, but for what they are. */
type Content = Pick<PolicyContent, 'weights' | 'arms'>;
const usualWeights = { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 };

const candidateOf = async (
  source: string,
  { campaign, reward, price = {} }: EvaluateOptions,
  offered: Content,
  { kind, firstAtMs, slots }: Survey,
  note: (text: string) => void,
): Promise<Candidate> => {
  const file = source === 'uniform' ? null : source;
  if (kind === 'slot') {
    if (file !== null) requireReadable(file);
    const spec = await readActionDistribution(source, campaign);
    const known = armsOf(spec);
    const arms = offered.arms.map(({ arm }) => arm);
    if (known !== null && !known.some((arm) => arms.includes(arm)))
      throw usageError(
        `${source}: expected arms of the records, such as ${arms.slice(0, 5).map(nameInWords).join(', ')}; got ${known.slice(0, 5).map(nameInWords).join(', ')}`,
      );
    const has = slotsOf(spec);
    if (has !== null && has > slots) note(`${source}: has ${has} positions, the records have ${slots}: the others are not used`);
    const name = file === null ? source : path.basename(file).replace(/\.[^.]+$/, '');
    return distributionCandidate({ name, file, probabilities: distributionOf(spec), arms: known ?? arms });
  }
  const names = offered.arms.map(({ arm }) => arm);
  // Names of arms may be those of what every object has.
  const priced = offered.arms.map((arm) => (Object.hasOwn(price, arm.arm) ? { ...arm, price: price[arm.arm] ?? null } : arm));
  const content = named({ spec: loadPolicyFile(source, names), weights: offered.weights, arms: priced });
  return frozenCandidate({ content, file: source, snapshot: emptySnapshot, atMs: firstAtMs, weights: reward ?? null, isOfFile: true });
};

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
