import path from 'node:path';
import { loadPolicyFile } from '../config/policy-file.ts';
import { named, type PolicyContent } from '../domain/routing/policy-version.ts';
import { emptySnapshot } from '../domain/routing/snapshot.ts';
import { distributionCandidate, frozenCandidate, type Candidate } from '../replay/evaluation/candidate.ts';
import { evaluate } from '../replay/evaluation/evaluate.ts';
import { armsOf, distributionOf, slotsOf } from '../replay/interchange/action-distribution.ts';
import { disabledSince } from '../replay/evaluation/arms-of-period.ts';
import { armsOfLog } from '../replay/interchange/arms-of-log.ts';
import { readActionDistribution } from '../replay/interchange/read-action-distribution.ts';
import { readLog, readLogHeader } from '../replay/interchange/read-log.ts';
import type { LoggedDecision } from '../replay/logged/logged-decision.ts';
import { lostBound, weightBound } from '../replay/logged/weight-bound.ts';
import { repricing } from '../replay/evaluation/what-if.ts';
import { loadConfig } from '../config/load.ts';
import { commandLine, requireDistinct, requireKnownPrices, singleArms, type EvaluateOptions } from './evaluate.ts';
import { settingsOf } from './evaluate-settings.ts';
import type { LogEnd } from '../replay/interchange/log-format.ts';
import { partsMissing } from '../replay/logged/reward-of.ts';
import { counted, grouped } from '../replay/evaluation/sentences.ts';
import type { EvaluationReport, Warning } from '../replay/evaluation/report.ts';
import { openDrawn, type Drawn } from '../replay/evaluation/drawn.ts';
import { openOrder } from '../replay/evaluation/order.ts';
import { usageError } from './exit-codes.ts';
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
  let end: LogEnd = { records: 0 };
  const surveyed = within(readLog(file, { onEnd: (last) => (end = last) }), options, signal);
  const seen = await survey(surveyed, file, options);
  const content = { weights: header.weights ?? usualWeights, arms: armsOfLog(header, seen.arms) };
  const isSurelyAll = (header.arms ?? null) !== null || seen.namesCandidates;
  const bound = weightBound(header.largestWeight ?? null, seen.leastPropensity);
  requirePrices(options, content, seen);
  requireMeasured(options, seen);
  const inOrder = foundInOrder(options, seen, terminal.note);
  const policies = await Promise.all(
    options.policy.map((one) => candidateOf(one, options, { ...content, isSurelyAll }, seen, terminal.note)),
  );
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
      known: [...disabledSince(content.arms, seen.arms), ...lostBound(bound, seen.leastPropensity), ...leftWarnings(end)],
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
  /** From 0 on, up to so many of them. */
  readonly slots: ReadonlySet<number>;
  /** Parts of the reward asked for that some record does not have. */
  readonly unmeasured: ReadonlySet<string>;
  /** Whether tokens were counted in any record. */
  readonly hasTokens: boolean;
};

const mostArms = 65_536;
const mostSlots = 65_536;
const nameInWords = (name: string): string => excerpt(name, 64);

const survey = async (
  batches: AsyncIterable<readonly LoggedDecision[]>,
  file: string,
  { tenant, reward }: EvaluateOptions,
): Promise<Survey> => {
  const arms = new Set<string>();
  const drawn = openDrawn();
  const order = openOrder();
  let namesCandidates = true;
  let records = 0;
  let first: LoggedDecision | null = null;
  let leastPropensity = 1;
  const slots = new Set<number>();
  const unmeasured = new Set<string>();
  let hasTokens = false;
  for await (const batch of batches)
    for (const decision of batch) {
      first ??= decision;
      if (decision.context.kind !== first.context.kind)
        throw usageError(
          `${file}: expected records of one kind, the first is a ${first.context.kind}; got a ${decision.context.kind}, ${excerpt(decision.id, 64)}`,
        );
      records++;
      order.add(decision);
      leastPropensity = Math.min(leastPropensity, decision.propensity);
      if (decision.context.kind === 'slot' && slots.size < mostSlots) slots.add(decision.context.slot);
      if (decision.outcome !== null)
        for (const part of partsMissing(decision.outcome.parts, reward ?? decision.outcome.weights)) unmeasured.add(part);
      hasTokens ||= (decision.outcome?.tokens ?? null) !== null;
      drawn.add(decision);
      namesCandidates &&= decision.candidates !== null;
      for (const arm of decision.candidates?.arms ?? [decision.arm]) arms.add(arm);
      if (arms.size > mostArms) throw usageError(`${file}: expected at most ${mostArms} arms, got more`);
    }
  if (first === null)
    throw usageError(
      `${file}: expected decisions in the period${tenant === undefined ? '' : ` of the tenant "${nameInWords(tenant)}"`}, got none`,
    );
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
    unmeasured,
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

/** What weighs nothing here cannot be asked about. */
const requireMeasured = ({ reward }: EvaluateOptions, { unmeasured }: Survey): void => {
  if (unmeasured.size > 0)
    throw usageError(
      `${reward === undefined ? 'the weights of the file' : '--reward'}: expected weights of what was measured in every record; got one for ${[...unmeasured].join(', ')}, which some have as null`,
    );
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
          consequence: 'if the log is there twice, they count twice, and every interval is too narrow: believe none, and import it once',
        },
      ]
    : []),
];

/** What policies for requests choose by, but for what they are. */
type Content = Pick<PolicyContent, 'weights' | 'arms'>;
/** `isSurelyAll`: whether there were no arms but these. */
type Offered = Content & { readonly isSurelyAll: boolean };
const usualWeights = { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 };

const candidateOf = async (
  source: string,
  { campaign, reward, price = {} }: EvaluateOptions,
  offered: Offered,
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
    requireSlots(source, slotsOf(spec), slots, note);
    const name = file === null ? source : path.basename(file).replace(/\.[^.]+$/, '');
    const warnings = known === null ? assumedArms(offered) : strangeArms(arms, known);
    return distributionCandidate({ name, file, probabilities: distributionOf(spec), arms: known ?? arms, warnings });
  }
  const names = offered.arms.map(({ arm }) => arm);
  // Names of arms may be those of what every object has.
  const priced = offered.arms.map((arm) => (Object.hasOwn(price, arm.arm) ? { ...arm, price: price[arm.arm] ?? null } : arm));
  const content = named({ spec: loadPolicyFile(source, names), weights: offered.weights, arms: priced });
  return frozenCandidate({ content, file: source, snapshot: emptySnapshot, atMs: firstAtMs, weights: reward ?? null, isOfFile: true });
};

/** `has`: positions that a table has probabilities for; null: for any. */
const requireSlots = (source: string, has: number | null, seen: ReadonlySet<number>, note: (text: string) => void): void => {
  if (has === null) return;
  const beyond = [...seen].find((slot) => slot >= has);
  if (beyond !== undefined)
    throw usageError(
      `${source}: expected probabilities for each position of the records; it has positions 1 to ${has}, a record has ${beyond + 1}`,
    );
  const unused = Array.from({ length: has }, (_, slot) => slot).filter((slot) => !seen.has(slot));
  if (unused.length > 0)
    note(
      `${source}: what it says of position ${unused
        .slice(0, mostListed)
        .map((slot) => slot + 1)
        .join(', ')}${unused.length > mostListed ? ', ...' : ''} is not used, as no record has it`,
    );
};
const mostListed = 5;

const assumedArms = ({ arms, isSurelyAll }: Offered): readonly Warning[] =>
  isSurelyAll
    ? []
    : [
        {
          code: 'arms_assumed',
          what: `it is taken to choose among the ${counted(arms.length, 'arm')} that the records name`,
          consequence: 'were there others, it is another policy: import --item-context, or a table of probabilities, tells them',
        },
      ];

/** Arms of the log that a distribution does not have: it may be that of another log. */
const strangeArms = (arms: readonly string[], known: readonly string[]): readonly Warning[] => {
  const all = new Set(known);
  const strange = arms.filter((arm) => !all.has(arm));
  if (strange.length === 0) return [];
  return [
    {
      code: 'arms_unknown',
      what: `${grouped(strange.length)} of the ${counted(arms.length, 'arm')} of the log ${strange.length === 1 ? 'is' : 'are'} not among its own: ${strange.slice(0, mostListed).map(nameInWords).join(', ')}${strange.length > mostListed ? ', ...' : ''}`,
      consequence: 'it never chooses them: is it of this log, or of another campaign or set of items?',
    },
  ];
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
