import { InvariantError } from '../../errors.ts';
import type { DataOf, RequestFeatures, Sequence, SwitchyardEvent } from '../../events/index.ts';
import type { RewardWeights } from '../reward/reward.ts';
import { addEvidence, noEvidence, type ArmEvidence, type EvidenceAt } from './evidence.ts';
import { pick, posterior, thompsonPropensities, type Prior } from './thompson.ts';

/**
 * The router's judgement: which arm answers. Its state is the evidence of each arm, the fold of exactly the log up to `sequence`.
 *
 * 1. A decision is a pure function of question, policy and state; recompute.ts repeats a logged one.
 * 2. Entries are folded in the order of the log without a gap; one that was folded before is skipped.
 */
export type RouterState = {
  sequence: number;
  readonly evidence: Map<string, ArmEvidence>;
  /** Candidates weighed on the evidence as it stands, by policy version, weights and arms: an unchanged state is not integrated again. */
  readonly weighed: Map<string, readonly Candidate[]>;
};

export type RoutingPolicy = {
  readonly id: string;
  readonly version: string;
  readonly floor: number;
  readonly prior: Prior;
  readonly arms: readonly RoutableArm[];
};

export type RoutableArm = { readonly arm: string; readonly model: string; readonly enabled: boolean; readonly contextTokens: number };

export type RoutingInput = {
  /** "auto", an arm, or a model: then all arms of that model. */
  readonly requestedModel: string;
  readonly features: RequestFeatures;
  /** 0 when the caller gave no limit. */
  readonly maxOutputTokens: number;
  readonly weights: RewardWeights;
  /** Uniform in [0, 1). */
  readonly draw: number;
};

type Candidate = DataOf<'route.decided'>['candidates'][number];
type Exclusion = DataOf<'route.decided'>['exclusions'][number];

export type RouteChoice = Pick<
  DataOf<'route.decided'>,
  | 'arm'
  | 'model'
  | 'propensity'
  | 'policy'
  | 'stateSequence'
  | 'draw'
  | 'floor'
  | 'weights'
  | 'maxOutputTokens'
  | 'candidates'
  | 'exclusions'
>;

export type RoutingDecision =
  | { readonly kind: 'chosen'; readonly choice: RouteChoice }
  | { readonly kind: 'no-candidate'; readonly exclusions: Exclusion[] }
  | { readonly kind: 'unknown-model' };

export const routerStateOf = ({ sequence, evidence }: EvidenceAt): RouterState => ({
  sequence,
  evidence: new Map(evidence),
  weighed: new Map(),
});

export const decideRoute = (input: RoutingInput, policy: RoutingPolicy, state: RouterState): RoutingDecision => {
  if (!policy.arms.some((arm) => isRequested(arm, input))) return { kind: 'unknown-model' };
  const exclusions: Exclusion[] = [];
  const open: RoutableArm[] = [];
  for (const arm of policy.arms) {
    const reason = exclusionOf(arm, input);
    if (reason === null) open.push(arm);
    else exclusions.push({ arm: arm.arm, reason });
  }
  if (open.length === 0) return { kind: 'no-candidate', exclusions };

  const candidates = weigh(open, input.weights, policy, state);
  const index = pick(
    candidates.map(({ propensity }) => propensity),
    input.draw,
  );
  const chosen = candidates[index];
  if (chosen === undefined) throw new InvariantError(`expected a draw from 0 to 1, got ${input.draw}`);
  const { arm, model, propensity } = chosen;
  return {
    kind: 'chosen',
    choice: {
      arm,
      model,
      propensity,
      policy: { id: policy.id, version: policy.version },
      stateSequence: state.sequence as Sequence,
      draw: input.draw,
      floor: policy.floor,
      weights: input.weights,
      maxOutputTokens: wholeTokens(input.maxOutputTokens),
      candidates: [...candidates],
      exclusions,
    },
  };
};

/** Folds the events of one log entry in place. */
export const evolveRouter = (
  state: RouterState,
  entry: { readonly sequence: number; readonly events: readonly SwitchyardEvent[] },
): RouterState => {
  if (entry.sequence <= state.sequence) return state;
  if (entry.sequence !== state.sequence + 1)
    throw new InvariantError(`router: expected log sequence ${state.sequence + 1}, got ${entry.sequence}`);
  for (const event of entry.events) {
    if (event.type !== 'reward.recorded') continue;
    const { arm, evidence } = event.data;
    state.evidence.set(arm, addEvidence(state.evidence.get(arm) ?? noEvidence, evidence));
    state.weighed.clear();
  }
  state.sequence = entry.sequence;
  return state;
};

const isRequested = (arm: RoutableArm, { requestedModel }: RoutingInput): boolean =>
  requestedModel === 'auto' || requestedModel === arm.arm || requestedModel === arm.model;

const exclusionOf = (arm: RoutableArm, input: RoutingInput): Exclusion['reason'] | null => {
  if (!isRequested(arm, input)) return 'not-requested';
  if (!arm.enabled) return 'disabled';
  return input.features.promptTokensEstimate + wholeTokens(input.maxOutputTokens) > arm.contextTokens ? 'context-length' : null;
};

/** A caller may write 1e300 or 0.5. */
const wholeTokens = (tokens: number): number => Math.min(Math.ceil(tokens), Number.MAX_SAFE_INTEGER);

/** Different questions on one state: a set of arms for each name that can be asked for, times the tenants with weights of their own. */
const weighedLimit = 256;

const weigh = (arms: readonly RoutableArm[], weights: RewardWeights, policy: RoutingPolicy, state: RouterState): readonly Candidate[] => {
  const { success, streaming, cache, cost } = weights;
  const key = `${policy.version} ${success} ${streaming} ${cache} ${cost} ${arms.map(({ arm }) => arm).join(' ')}`;
  const known = state.weighed.get(key);
  if (known !== undefined) return known;
  const posteriors = arms.map(({ arm }) => posterior(state.evidence.get(arm) ?? noEvidence, policy.prior, weights));
  const probabilities = thompsonPropensities(posteriors, policy.floor);
  const candidates = arms.map(({ arm, model }, i) => {
    const parameters = posteriors[i];
    const propensity = probabilities[i];
    if (parameters === undefined || propensity === undefined)
      throw new InvariantError(`expected a propensity for each of ${arms.length} arms`);
    return { arm, model, ...parameters, propensity };
  });
  if (state.weighed.size >= weighedLimit) state.weighed.clear();
  state.weighed.set(key, candidates);
  return candidates;
};
