import { breakerIsOpen } from './breaker.ts';
import { canaryDecider, deciderFor, stableDecider } from './deciders.ts';
import { everyRequest } from './evidence.ts';
import type { Sums } from './sums.ts';
import { cellsFor } from './filing.ts';
import { remembering, type Remembering } from './policies/remembering.ts';
import type { PolicyContent } from './policy-version.ts';
import { rewardSum, trialsOf } from './reading.ts';
import { decideRoute, type DecidingPolicy, type RoutingDecision, type RoutingInput } from './router.ts';
import { ruleOf, runningCanary, type RouterState } from './state.ts';
import { tickMs, tickOf } from './time-blocks.ts';

/**
 * Why the router would choose as it would: its own decision, and beside it what is known of each arm in each of the cells that the request belongs to. Pure, and decided by the router's own
 * code: what is shown is what the next decision in this state would record.
 */
export type Explanation = {
  readonly policy: PolicyContent['policy'] & { readonly kind: string; readonly canary: boolean };
  /** Probability that this policy, and not the canary or the one beside it, decides. */
  readonly share: number;
  readonly decision: RoutingDecision;
  /** Of all arms of the policy, candidates or not. */
  readonly arms: readonly ArmKnowledge[];
};

export type ArmKnowledge = {
  readonly arm: string;
  readonly model: string;
  readonly breakerOpen: boolean;
  /** What lies before does not count: the reward of the arm jumped then. Null: it did not, or the policy does not look for it. */
  readonly changedAt: string | null;
  /** From all requests to the narrowest kind. */
  readonly cells: readonly CellKnowledge[];
};

export type CellKnowledge = {
  readonly cell: string;
  /** Over all time. `reward` is the mean, null without trials. */
  readonly trials: number;
  readonly reward: number | null;
  /** As the policy weighs it: faded with age, cut where the arm changed. Null: the policy does not learn. */
  readonly remembered: { readonly trials: number; readonly reward: number | null } | null;
};

export const explainRoute = (input: RoutingInput, policy: DecidingPolicy, share: number, state: RouterState): Explanation => {
  const { content } = policy;
  const memory = memoryOf(content);
  const nowTick = input.decidedAtMs === null ? 0 : tickOf(input.decidedAtMs);
  return {
    policy: { ...content.policy, kind: content.spec.kind, canary: policy.canary },
    share,
    decision: decideRoute(input, policy, state),
    arms: content.arms.map(({ arm, model }) => {
      const changeTick = memory?.changeTick(state.evidence, arm, { nowTick, weights: input.weights }) ?? 0;
      return {
        arm,
        model,
        breakerOpen: breakerIsOpen(state.evidence, arm, nowTick),
        changedAt: changeTick === 0 ? null : new Date(changeTick * tickMs).toISOString(),
        cells: cellsFor(input.features).map((cell) => knowledgeOf(input, state, memory, nowTick, arm, cell)),
      };
    }),
  };
};

const knowledgeOf = (
  { weights }: RoutingInput,
  { evidence }: RouterState,
  memory: Remembering | null,
  nowTick: number,
  arm: string,
  cell: string,
): CellKnowledge => {
  const meanOf = (sums: Sums | null | undefined) => {
    const trials = sums ? trialsOf(sums) : 0;
    return { trials, reward: sums && trials > 0 ? rewardSum(sums, weights) / trials : null };
  };
  return {
    cell,
    ...meanOf(evidence.arms.get(arm)?.cells.get(cell)?.total),
    remembered: memory === null ? null : meanOf(memory.recall(evidence, arm, [cell], { nowTick, weights })[0]),
  };
};

/** The memory that the policy reads through; null for one that does not learn. */
const memoryOf = ({ spec }: PolicyContent): Remembering | null =>
  'memory' in spec ? remembering(spec.memory, spec.kind === 'contextual-thompson' ? 'kinds' : [everyRequest]) : null;

export type Decider = { readonly policy: DecidingPolicy; readonly share: number };

/**
 * Who would decide. While a canary runs that is certain for a conversation and a lot for a request, whose id nobody knows beforehand: then both, each with its probability.
 * `configured` decides until the log has named a policy.
 */
export const decidersOf = (state: RouterState, configured: PolicyContent, conversation: string | null): readonly Decider[] => {
  const stable = stableDecider(state) ?? { content: configured, rule: ruleOf(configured), canary: false, trial: null };
  const canary = canaryDecider(state);
  const running = runningCanary(state);
  if (canary === null || running === null) return [{ policy: stable, share: 1 }];
  if (conversation !== null) return [{ policy: deciderFor(state, conversation) ?? stable, share: 1 }];
  return [
    { policy: stable, share: 1 - running.event.share },
    { policy: canary, share: running.event.share },
  ];
};
