import { breakerIsOpen } from '../../domain/routing/breaker.ts';
import { noTotals } from '../../domain/routing/pacing.ts';
import { policyFrom } from '../../domain/routing/policies/index.ts';
import type { PolicyContent } from '../../domain/routing/policy-version.ts';
import { decideRoute, type DecidingPolicy } from '../../domain/routing/router.ts';
import type { StateSnapshot } from '../../domain/routing/snapshot.ts';
import { stateOf } from '../../domain/routing/snapshot.ts';
import type { RouterState } from '../../domain/routing/state.ts';
import { tickOf } from '../../domain/routing/time-blocks.ts';
import type { RewardWeights } from '../../domain/reward/reward.ts';
import { InvariantError, PermanentError } from '../../errors.ts';
import type { Context, LoggedDecision } from '../logged/logged-decision.ts';
import type { Method, Warning } from './report.ts';

/** A policy that is evaluated: what it would have done with each logged decision. */
export type Candidate = {
  readonly name: string;
  readonly file: string | null;
  readonly kind: string;
  readonly fingerprint: string;
  readonly method: Method;
  /** What is known of it before the first record. */
  readonly warnings: readonly Warning[];
  /** It has no say in some records (`Weighing.asLogged`). */
  readonly isPartial?: true;
  /** For each decision what it would choose. Asked once for each page, in the order of the log. */
  readonly weigh: (decisions: readonly LoggedDecision[]) => Weighing[] | Promise<Weighing[]>;
};

/** Probabilities of arms in the same order; arms that are not named have 0. Neither array may be written to: they may be shared. */
export type Weighing = {
  readonly arms: readonly string[];
  readonly probabilities: ArrayLike<number>;
  /** Of rejection replay alone: whether the record is as if the candidate had made it. */
  readonly accepted?: boolean;
  /** The candidate has no say in this record: it is as it was logged, and shows nothing of how far the log can speak for the candidate. */
  readonly asLogged?: true;
};

export const nothingWeighed: Weighing = { arms: [], probabilities: [] };

/**
 * A policy as it stood at one moment, which learns no more: what it would do is asked of the router itself (`decideRoute`), with the request, the prices and the broken arms of each logged decision.
 *
 * 1. Evidence is that of `snapshot`, read as of `atMs` for the whole period.
 * 2. Trials of new arms, a few requests at the start, are left out; floors count.
 * 3. A policy that reads no evidence is asked once for each situation that it can tell apart.
 */
export const frozenCandidate = (given: {
  readonly content: PolicyContent;
  readonly file: string | null;
  readonly snapshot: StateSnapshot;
  readonly atMs: number;
  /** In place of the weights of the log. */
  readonly weights: RewardWeights | null;
  /** Of a file: it does not hold what a policy would have learned from before, or would learn from. */
  readonly isOfFile?: boolean;
}): Candidate => {
  const { file, snapshot, atMs, weights, isOfFile = false } = given;
  const spec = { ...given.content.spec, trial: { requests: 0, share: 0 } };
  const content = { ...given.content, spec };
  const readsEvidence = spec.kind !== 'static' && spec.kind !== 'complexity';
  const state = stateOf(snapshot);
  const contents = withoutBroken(content);
  const rule = policyFrom(spec);
  const threshold = spec.kind === 'complexity' ? spec.threshold : null;
  const known = new Map<string, Weighing>();

  const weighNew = ({ input, moment }: RequestContext): Weighing => {
    const policy: DecidingPolicy = { content: contents(moment.brokenArms), rule, canary: false, trial: null };
    if (readsEvidence) setPrices(state, input, moment);
    const decision = decideRoute(
      // Without a moment no breaker is read from the evidence: those of the log count.
      { ...input, weights: weights ?? input.weights, decidedAtMs: readsEvidence ? atMs : null, draw: 0 },
      policy,
      state,
    );
    if (decision.kind !== 'chosen') return nothingWeighed;
    const { candidates } = decision.choice;
    return { arms: candidates.map(({ arm }) => arm), probabilities: candidates.map(({ propensity }) => propensity) };
  };
  const weighOne = ({ context, id }: LoggedDecision): Weighing => {
    if (context.kind !== 'request')
      throw new PermanentError(
        'no_requests',
        `record ${id}: expected a request, which a policy of the yard can decide; got a slot of another system`,
      );
    // A budget compares the expected cost of this very request.
    if (readsEvidence || context.input.budget.usdPerRequest !== null) return weighNew(context);
    const key = situationOf(context, content, threshold);
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= mostSituations) known.clear();
    const made = weighNew(context);
    known.set(key, made);
    return made;
  };
  return {
    name: spec.id,
    file,
    kind: spec.kind,
    fingerprint: given.content.policy.version,
    method: readsEvidence ? frozenMethod(new Date(atMs).toISOString(), isOfFile) : { name: 'fixed', why: whyFixed },
    warnings: readsEvidence ? brokenAt(state, content, atMs) : [],
    weigh: (decisions) => decisions.map(weighOne),
  };
};

type RequestContext = Extract<Context, { kind: 'request' }>;

const whyFixed = 'the policy does not learn: what it would have done with each request is known exactly';
const frozenMethod = (at: string, isOfFile: boolean): Method => ({
  name: 'fixed',
  why: isOfFile
    ? 'the policy is taken as it begins, with its prior and its warm start alone, and learns nothing: what is estimated is that state of it. A file does not hold what it would learn from; the log of a yard does'
    : `the policy is taken as it stood at ${at}, with what had been learned until then, and learns no more: what is estimated is that state of it. --learning evaluates it as it learns`,
  frozenAt: at,
});

const mostSituations = 65_536;

/** All that the candidates and shares of a policy depend on that reads no evidence and has no budget. */
const situationOf = ({ input, moment }: RequestContext, { arms }: PolicyContent, threshold: number | null): string => {
  const { requestedModel, needs, features, maxOutputTokens } = input;
  const tokens = features.promptTokensEstimate + maxOutputTokens;
  // Which arms are too small follows from how many are.
  const tooSmall = arms.reduce((count, { contextTokens }) => (tokens > contextTokens ? count + 1 : count), 0);
  const isComplex = threshold !== null && features.version === 2 && features.complexity >= threshold;
  return `${requestedModel}\n${needs.length === 0 ? '' : needs.join()}\n${moment.brokenArms.length === 0 ? '' : moment.brokenArms.join()}\n${tooSmall}${isComplex ? 'c' : ''}`;
};

/** An arm whose breaker was open in the log is open to no policy. */
const withoutBroken = (content: PolicyContent): ((broken: readonly string[]) => PolicyContent) => {
  const made = new Map<string, PolicyContent>();
  return (broken) => {
    if (broken.length === 0) return content;
    const key = broken.join(' ');
    const found = made.get(key);
    if (found !== undefined) return found;
    if (made.size >= mostSituations) made.clear();
    const arms = content.arms.map((arm) => (broken.includes(arm.arm) ? { ...arm, enabled: false } : arm));
    made.set(key, { ...content, arms });
    return { ...content, arms };
  };
};

/** The prices of money and time that were in force for this decision, whatever the state would make of them. */
const setPrices = (
  state: RouterState,
  { tenant, budget }: RequestContext['input'],
  { rewardPerUsd, rewardPerSecond }: RequestContext['moment'],
): void => {
  if (budget.usdPerRequest === null && budget.latencyTargetMs === null) return;
  state.paces.set(tenant, { step: 1, ...budget, rewardPerUsd, rewardPerSecond, totals: noTotals, creditNanoUsd: 0 });
  state.totals.set(tenant, noTotals);
};

const brokenAt = (state: RouterState, { arms }: PolicyContent, atMs: number): readonly Warning[] => {
  const broken = arms.filter(({ arm }) => breakerIsOpen(state.evidence, arm, tickOf(atMs))).map(({ arm }) => arm);
  if (broken.length === 0) return [];
  return [
    {
      code: 'broken_at_start',
      what: `the circuit breaker of ${broken.join(', ')} was open at the moment that the policy is frozen at`,
      consequence: 'it is never chosen in this evaluation; begin a few minutes later or earlier',
    },
  ];
};

/** A distribution over arms by slot, for logs of other systems. `arms`: all that the log knows, for records that do not name their candidates. */
export const distributionCandidate = (given: {
  readonly name: string;
  readonly file: string | null;
  readonly probabilities: (slot: number, arms: readonly string[]) => ArrayLike<number>;
  readonly arms: readonly string[];
  readonly warnings?: readonly Warning[];
}): Candidate => ({
  name: given.name,
  file: given.file,
  kind: 'distribution',
  fingerprint: '',
  method: { name: 'fixed', why: whyFixed },
  warnings: given.warnings ?? [],
  weigh: (decisions) =>
    decisions.map(({ context, candidates, id }) => {
      if (context.kind !== 'slot') throw new InvariantError(`record ${id}: expected a slot, which a distribution over arms is asked for`);
      const arms = candidates?.arms ?? given.arms;
      return { arms, probabilities: given.probabilities(context.slot, arms) };
    }),
});
