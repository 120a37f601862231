import { policyContent } from '../actors/policy.ts';
import type { Bus } from '../bus/bus.ts';
import { readPolicyFile } from '../config/policy-file.ts';
import { named, type PolicyContent } from '../domain/routing/policy-version.ts';
import { emptySnapshot, type StateSnapshot } from '../domain/routing/snapshot.ts';
import type { Clickhouse } from '../projections/clickhouse.ts';
import { snapshotFromClickhouse } from '../projections/state.ts';
import { frozenCandidate, type Candidate } from '../replay/evaluation/candidate.ts';
import { candidateReplay } from '../replay/again/candidate-replay.ts';
import { evaluate } from '../replay/evaluation/evaluate.ts';
import { learningCandidate, type LearningMethod } from '../replay/evaluation/learning-candidate.ts';
import { changedSince, disabledSince } from '../replay/evaluation/arms-of-period.ts';
import { armsOfLog } from '../replay/interchange/arms-of-log.ts';
import {
  armsOfPeriod,
  freezePeriod,
  largestWeightIn,
  offeredIn,
  readDecisions,
  type FrozenPeriod,
} from '../replay/logged/logged-decisions.ts';
import type { EvaluationReport, Warning } from '../replay/evaluation/report.ts';
import { readTraffic } from '../replay/logged/traffic.ts';
import type { WeightBound } from '../replay/logged/weight-bound.ts';
import { lostBound } from '../replay/evaluation/warnings.ts';
import { repricing } from '../replay/evaluation/what-if.ts';
import { commandLine, requireDistinct, requireKnownPrices, singleArms, type EvaluateOptions } from './evaluate.ts';
import { settingsOf } from './evaluate-settings.ts';
import { PermanentError } from '../errors.ts';
import { usageError } from './exit-codes.ts';
import { locateYard, type Located } from './locate.ts';
import { withBus } from './open-bus.ts';
import { requireOrder } from './period.ts';
import { openProgress } from './progress.ts';
import { briefly, withPeriod } from './replay-period.ts';
import type { Terminal } from './terminal.ts';
import { withClickhouse } from './with-clickhouse.ts';

/** Policies over a period of the yard's own log, from ClickHouse; the event log itself is read only for policies that learn. */
export const evaluateLog = async (terminal: Terminal, options: EvaluateOptions): Promise<EvaluationReport> => {
  requireOrder(options);
  if (options.campaign !== undefined) throw usageError('--campaign: expected together with --file');
  const located = locateYard(options);
  const policies = options.policy.map((file) => ({ file, specFor: readPolicyFile(file) }));
  return withClickhouse(located, async (clickhouse) => {
    const frozen = await freezePeriod(clickhouse, options);
    const offered = await offeredTo(clickhouse, frozen, located);
    const contents = contentsOf(policies, options, offered);
    const bound = await largestWeightIn(clickhouse, frozen);
    const alone = singleArms(options, options.everyArm === true ? offered.seen : []);
    const report = (candidates: readonly Candidate[]) =>
      evaluateFrozen(terminal, {
        options,
        located,
        clickhouse,
        frozen,
        bound,
        known: offered.known,
        candidates: [...candidates, ...alone],
      });
    const isReplayed = ({ spec }: PolicyContent): boolean =>
      options.learning !== undefined && spec.kind !== 'static' && spec.kind !== 'complexity';
    const snapshot = contents.every(({ content }) => isReplayed(content)) ? emptySnapshot : await stateBefore(clickhouse, frozen);
    const fixed = ({ content, file }: (typeof contents)[number]): Candidate =>
      frozenCandidate({ content, file, snapshot, atMs: frozen.firstAtMs, weights: options.reward ?? null });
    if (!contents.some(({ content }) => isReplayed(content))) return report(contents.map(fixed));

    return withBus(located, async (bus) => {
      const method: LearningMethod =
        options.learning === true || options.learning === undefined ? 'doubly-robust-replay' : options.learning;
      // Each reads the log by itself, side by side, so that all of them see a record at about the same time.
      const open = async (rest: typeof contents, done: readonly Candidate[]): Promise<EvaluationReport> => {
        const [next, ...others] = rest;
        if (next === undefined) return report(done);
        if (!isReplayed(next.content)) return open(others, [...done, fixed(next)]);
        return withReplayed(bus, { terminal, options, located, frozen, method, ...next }, (candidate) =>
          open(others, [...done, candidate]),
        );
      };
      return open(contents, []);
    });
  });
};

type PolicyFile = { readonly file: string; readonly specFor: ReturnType<typeof readPolicyFile> };
type Content = PolicyFile & { readonly content: PolicyContent };

/** What policies may choose among: the arms as the log has them at the end of the period, whatever was configured since, and beside them those that are new. */
type Offered = Pick<PolicyContent, 'arms' | 'weights'> & {
  /** Arms that could be drawn in some decision of the period. */
  readonly seen: readonly string[];
  /** Configured since. */
  readonly added: PolicyContent['arms'];
  readonly known: readonly Warning[];
};

const offeredTo = async (clickhouse: Clickhouse, frozen: FrozenPeriod, { settings }: Located): Promise<Offered> => {
  const configured = policyContent(settings.config);
  const { arms: atEnd, weights } = (await offeredIn(clickhouse, frozen)) ?? configured;
  const seen = await armsOfPeriod(clickhouse, frozen);
  const arms = armsOfLog({ arms: [...atEnd] }, seen);
  const names = new Set(arms.map(({ arm }) => arm));
  const added = configured.arms.filter(({ arm }) => !names.has(arm));
  return { arms, weights, seen, added, known: [...disabledSince(arms, seen), ...changedSince(atEnd, configured.arms)] };
};

/** The policies under the prices that are asked for. A new arm is there for the policy alone that names it. */
const contentsOf = (
  policies: readonly PolicyFile[],
  { price = {} }: EvaluateOptions,
  { arms, weights, added }: Offered,
): readonly Content[] => {
  const names = [...arms, ...added].map(({ arm }) => arm);
  requireKnownPrices(price, names);
  const priced = (arm: PolicyContent['arms'][number]) => (Object.hasOwn(price, arm.arm) ? { ...arm, price: price[arm.arm] ?? null } : arm);
  const contents = policies.map(({ file, specFor }) => {
    const spec = specFor(names);
    const text = JSON.stringify(spec);
    const mentioned = added.filter(({ arm }) => text.includes(JSON.stringify(arm)));
    return { file, specFor, content: named({ spec, weights, arms: [...arms, ...mentioned].map(priced) }) };
  });
  requireDistinct(contents.map(({ content }) => content.policy.id));
  return contents;
};

/** What the router knew before the period. */
const stateBefore = async (clickhouse: Clickhouse, { fromSequence }: FrozenPeriod): Promise<StateSnapshot> =>
  (await snapshotFromClickhouse(clickhouse, { atSequence: fromSequence - 1 }))?.snapshot ?? emptySnapshot;

const withReplayed = async (
  bus: Bus,
  given: Content & {
    readonly terminal: Terminal;
    readonly options: EvaluateOptions;
    readonly located: Located;
    readonly frozen: FrozenPeriod;
    readonly method: LearningMethod;
  },
  use: (candidate: Candidate) => Promise<EvaluationReport>,
): Promise<EvaluationReport> => {
  const { terminal, options, located, frozen, method, content, file, specFor } = given;
  const place = (sequence: number) => ({ kind: 'sequence', sequence }) as NonNullable<EvaluateOptions['from']>;
  const parts = {
    located,
    signal: terminal.interrupted(),
    note: terminal.note,
    what: 'deciding',
    prefer: 'rows',
    read: briefly,
  } as const;
  const period = { ...options, from: place(frozen.fromSequence), to: place(frozen.toSequence) };
  return withPeriod(bus, period, parts, (replayed) => {
    const { decisions } = candidateReplay({
      ...replayed,
      specFor,
      learn: method === 'rejection-replay' ? 'matched' : 'logged',
      fromScratch: false,
      seed: options.seed,
      // One for the whole period: were it to fall as the logger settles, the accepted records would be of its first hours, and their mean compared with that of all.
      acceptance: frozen.leastPropensity,
      weights: options.reward,
    });
    const identity = { name: content.policy.id, file, kind: content.spec.kind, fingerprint: content.policy.version };
    return use(learningCandidate({ identity, method, replayed: decisions }));
  });
};

const evaluateFrozen = async (
  terminal: Terminal,
  given: {
    readonly options: EvaluateOptions;
    readonly located: Located;
    readonly clickhouse: Clickhouse;
    readonly frozen: FrozenPeriod;
    readonly bound: WeightBound;
    readonly known: readonly Warning[];
    readonly candidates: readonly Candidate[];
  },
): Promise<EvaluationReport> => {
  const { options, located, clickhouse, frozen, bound, known, candidates } = given;
  const { fromSequence, toSequence, tenant, outcomesUpTo, logCreatedAt, decisions } = frozen;
  const signal = terminal.interrupted();
  const progress = openProgress('evaluating', decisions);
  try {
    return await evaluate({
      records: () => readDecisions(clickhouse, frozen, { signal }),
      candidates,
      settings: settingsOf(options),
      source: { kind: 'clickhouse', logCreatedAt },
      period: { fromSequence, toSequence, tenant, outcomesUpTo },
      command: commandLine(options, { from: fromSequence, to: toSequence, outcomesUpTo }),
      madeAt: new Date().toISOString(),
      largestWeight: bound.largest,
      traffic: await readTraffic(clickhouse, frozen),
      known: [...known, ...lostBound(bound, frozen.leastPropensity)],
      alter: repricing(options.price ?? {}, located.settings.config.reward.costTargetUsd),
      onProgress: progress.update,
    });
  } catch (error) {
    if (error instanceof PermanentError && error.code === 'empty_period') throw usageError(error.message, error);
    throw error;
  } finally {
    progress.stop();
  }
};
