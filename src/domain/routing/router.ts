import { InvariantError } from '../../errors.ts';
import type { DataOf, RecordedFeatures, Sequence, Tenant } from '../../events/index.ts';
import type { RewardWeights } from '../reward/reward.ts';
import { breakerIsOpen } from './breaker.ts';
import { expectationOf, type Expectation } from './expectations.ts';
import { cellsFor } from './filing.ts';
import { isBeyondBudget, pricesOf, type Budget } from './pacing.ts';
import type { Policy } from './policies/policy.ts';
import { hasShare } from './policies/static.ts';
import type { PolicyContent } from './policy-version.ts';
import type { RouterState } from './state.ts';
import { pick, withFloors } from './draw.ts';
import { tickOf } from './time-blocks.ts';

/**
 * The router's judgement: which arm answers. Exclusions come first, then the policy's shares, then the floors, and the arm is drawn from the very probabilities that are
 * recorded. A decision is a pure function of request, policy and state; recompute.ts repeats a logged one.
 */
export type RoutingInput = {
  readonly tenant: Tenant;
  /** "auto", an arm, or a model: then all arms of that model. */
  readonly requestedModel: string;
  readonly features: RecordedFeatures;
  /** 0 when the caller gave no limit. */
  readonly maxOutputTokens: number;
  readonly needs: Choice['needs'];
  readonly weights: RewardWeights;
  readonly budget: Budget;
  readonly conversation: Choice['conversation'];
  /** Milliseconds since 1970; null repeats a decision that was made before evidence had a time. */
  readonly decidedAtMs: number | null;
  /** Uniform in [0, 1). */
  readonly draw: number;
};

type Choice = DataOf<'route.decided'>;
type Exclusion = Choice['exclusions'][number];
type Candidate = Choice['candidates'][number];

/** A policy that decides: what it consists of, and as what it takes part. */
export type DecidingPolicy = {
  readonly content: PolicyContent;
  readonly rule: Policy;
  readonly canary: boolean;
  readonly trial: number | null;
};

export type RouteChoice = Pick<
  Choice,
  | 'arm'
  | 'model'
  | 'propensity'
  | 'policy'
  | 'stateSequence'
  | 'draw'
  | 'floor'
  | 'weights'
  | 'decidedAt'
  | 'pacing'
  | 'conversation'
  | 'needs'
  | 'maxOutputTokens'
  | 'candidates'
  | 'exclusions'
>;

export type RoutingDecision =
  | { readonly kind: 'chosen'; readonly choice: RouteChoice }
  | { readonly kind: 'no-candidate'; readonly exclusions: readonly Exclusion[] }
  /** The name is neither "auto" nor that of an arm or model of the policy. */
  | { readonly kind: 'unknown-model' };

export const decideRoute = (input: RoutingInput, policy: DecidingPolicy, state: RouterState): RoutingDecision => {
  const { content } = policy;
  if (!content.arms.some((arm) => isRequested(arm, input))) return { kind: 'unknown-model' };
  const question = questionOf(input);
  const isOffered = ({ arm }: RoutableArm) => input.requestedModel !== 'auto' || hasShare(content.spec, arm);
  const answerTokens = answerTokensOf(content.arms.filter(isOffered), input, question, state);
  const exclusions: Exclusion[] = [];
  const open: Contender[] = [];
  const onTrial: Contender[] = [];
  for (const arm of content.arms) {
    const expected = expectationOf(state.evidence, arm, question);
    const least = leastShareOf(arm.arm, content, state);
    const reason =
      exclusionOf(arm, input, answerTokens, state, question.nowTick) ??
      (isOffered(arm) ? null : 'no-share') ??
      (isBeyondBudget(expected.costNanoUsd, input.budget) ? 'budget' : null);
    if (reason !== null) exclusions.push({ arm: arm.arm, reason });
    else (least.full ? onTrial : open).push({ arm, expected, floor: least.floor });
  }
  // Where there are only new arms, somebody has to take the request.
  const contenders = open.length > 0 ? open : onTrial;
  if (open.length > 0) exclusions.push(...onTrial.map(({ arm }) => ({ arm: arm.arm, reason: 'on-trial' as const })));
  if (contenders.length === 0) return { kind: 'no-candidate', exclusions };

  const { candidates, pacing } = weigh(contenders, input, question, policy, state);
  const chosen =
    candidates[
      pick(
        candidates.map(({ propensity }) => propensity),
        input.draw,
      )
    ];
  if (chosen === undefined) throw new InvariantError(`expected a draw from 0 to 1, got ${input.draw}`);
  const { arm, model, propensity } = chosen;
  return {
    kind: 'chosen',
    choice: {
      arm,
      model,
      propensity,
      policy: { ...content.policy, canary: policy.canary, trial: policy.trial },
      stateSequence: state.sequence as Sequence,
      draw: input.draw,
      floor: content.spec.floor,
      weights: input.weights,
      decidedAt: input.decidedAtMs === null ? null : new Date(input.decidedAtMs).toISOString(),
      pacing,
      conversation: input.conversation,
      needs: input.needs,
      maxOutputTokens: question.maxOutputTokens,
      candidates,
      exclusions,
    },
  };
};

type RoutableArm = PolicyContent['arms'][number];
type Contender = { readonly arm: RoutableArm; readonly expected: Expectation; readonly floor: number };
type Question = {
  readonly features: RecordedFeatures;
  readonly cells: readonly string[];
  readonly maxOutputTokens: number;
  readonly nowTick: number;
};

const questionOf = ({ features, maxOutputTokens, decidedAtMs }: RoutingInput): Question => ({
  features,
  cells: cellsFor(features),
  maxOutputTokens: wholeTokens(maxOutputTokens),
  nowTick: decidedAtMs === null ? 0 : tickOf(decidedAtMs),
});

const weigh = (
  contenders: readonly Contender[],
  input: RoutingInput,
  question: Question,
  { content, rule }: DecidingPolicy,
  state: RouterState,
): { readonly candidates: Candidate[]; readonly pacing: Choice['pacing'] } => {
  const { budget, weights, conversation, tenant } = input;
  const last = state.paces.get(tenant) ?? null;
  const prices = pricesOf(last, budget, state.totals.get(tenant));
  const previous = conversation?.previousArm ?? null;
  const adjustments = contenders.map(
    ({ arm, expected }) =>
      (previous === arm.arm ? content.spec.switchingCost : 0) -
      (prices.rewardPerUsd * (expected.costNanoUsd ?? 0)) / nanoPerUsd -
      (prices.rewardPerSecond * (expected.latencyMs ?? 0)) / 1_000,
  );
  const names = contenders.map(({ arm }) => arm.arm);
  const { posteriors, shares } = rule.weigh({ ...question, candidates: names, adjustments, weights }, state.evidence);
  const propensities = withFloors(
    shares,
    contenders.map(({ floor }) => floor),
  );
  return {
    candidates: contenders.map(({ arm, expected, floor }, i) => ({
      arm: arm.arm,
      model: arm.model,
      posterior: posteriors[i] ?? null,
      expectedCostNanoUsd: expected.costNanoUsd,
      expectedLatencyMs: expected.latencyMs,
      adjustment: adjustments[i] ?? 0,
      floor,
      propensity: propensities[i] ?? 0,
    })),
    pacing: budget.usdPerRequest === null && budget.latencyTargetMs === null ? null : { step: last?.step ?? 0, ...budget, ...prices },
  };
};

const nanoPerUsd = 1e9;

/** A new arm is tried with a bounded number of requests, and no more than these until they have ended. Not under fixed shares: there is nothing to find out. */
const leastShareOf = (
  arm: string,
  { spec }: PolicyContent,
  { chosen }: RouterState,
): { readonly floor: number; readonly full: boolean } => {
  if (spec.kind === 'static') return { floor: spec.floor, full: false };
  const { decided, ended } = chosen.get(arm) ?? { decided: 0, ended: 0 };
  const isNew = ended < spec.trial.requests;
  return { floor: isNew ? Math.max(spec.floor, spec.trial.share) : spec.floor, full: isNew && decided >= spec.trial.requests };
};

const isRequested = (arm: RoutableArm, { requestedModel }: RoutingInput): boolean =>
  requestedModel === 'auto' || requestedModel === arm.arm || requestedModel === arm.model;

/**
 * Room that an arm must have for the answer. A limit beyond what any arm has asks for as much as there is, and is no reason to take out the arm with the most room: the larger the limit, the fewer
 * arms hold it, and never none.
 */
const answerTokensOf = (
  arms: readonly RoutableArm[],
  input: RoutingInput,
  { maxOutputTokens, nowTick }: Question,
  state: RouterState,
): number => {
  if (maxOutputTokens === 0) return 0;
  let most = 0;
  for (const arm of arms)
    if (exclusionOf(arm, input, 0, state, nowTick) === null) most = Math.max(most, arm.contextTokens - input.features.promptTokensEstimate);
  return Math.min(maxOutputTokens, most);
};

const exclusionOf = (
  arm: RoutableArm,
  input: RoutingInput,
  answerTokens: number,
  { evidence }: RouterState,
  nowTick: number,
): Exclusion['reason'] | null => {
  if (!isRequested(arm, input)) return 'not-requested';
  if (!arm.enabled) return 'disabled';
  if (input.needs.some((need) => arm.lacks.includes(need))) return 'missing-capability';
  if (input.features.promptTokensEstimate + answerTokens > arm.contextTokens) return 'context-length';
  // A caller who names an arm gets it, or its failure. Where evidence had no time, "of late" had no meaning.
  const mayBreak = input.requestedModel === 'auto' && input.decidedAtMs !== null;
  return mayBreak && breakerIsOpen(evidence, arm.arm, nowTick) ? 'breaker-open' : null;
};

/** A caller may write 1e300 or 0.5. */
const wholeTokens = (tokens: number): number => Math.min(Math.ceil(tokens), Number.MAX_SAFE_INTEGER);
