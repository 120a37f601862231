import { nextPace, paceDue, type Budget } from '../../src/domain/routing/pacing.ts';
import { policyVersion, type PolicyContent } from '../../src/domain/routing/policy-version.ts';
import { decideRoute, type DecidingPolicy, type RouteChoice } from '../../src/domain/routing/router.ts';
import { countsOf, emptyRouterState, foldEvent, ruleOf, type RouterState } from '../../src/domain/routing/state.ts';
import { cellsFor } from '../../src/domain/routing/filing.ts';
import { rewardForCompletion, reviseReward, type RewardSettings } from '../../src/domain/reward/reward.ts';
import {
  makeEvent,
  rewardRecorded,
  tenantSchema,
  type DataOf,
  type EventOf,
  type PolicySpec,
  type RecordedFeatures,
} from '../../src/events/index.ts';

/**
 * The router's brain without its actors: the same decisions by the same policies, the same rewards folded into the same state, the same steps of pacing. Only the log and its acknowledgements are
 * left out.
 */
export type Learner = {
  readonly state: RouterState;
  readonly decide: (request: { readonly features: RecordedFeatures; readonly atMs: number; readonly draw: number }) => RouteChoice;
  readonly learn: (choice: RouteChoice, features: RecordedFeatures, result: Result) => void;
  /** Arms that can be drawn from now on; what was learned of others stays. */
  readonly setArms: (arms: readonly string[]) => void;
};

export type Result = { readonly atMs: number; readonly success: number; readonly costUsd?: number; readonly latencyMs?: number };

const tenant = tenantSchema.parse('bench');
/** The reward is the measured success alone: that is what the published tables compare. */
const settings: RewardSettings = {
  weights: { success: 1, streaming: 0, cache: 0, cost: 0 },
  firstTokenTargetMs: 1_000,
  stallTargetMs: 1_000,
  costTargetUsd: 1,
};

export const createLearner = (options: {
  readonly spec: PolicySpec;
  readonly arms: readonly string[];
  readonly budget?: Budget;
}): Learner => {
  const { spec, budget = { usdPerRequest: null, latencyTargetMs: null } } = options;
  const state = emptyRouterState();
  const rule = ruleOf({ spec } as PolicyContent);
  const policyOf = (arms: readonly string[]): DecidingPolicy => {
    const content = { spec, weights: settings.weights, arms: arms.map(armOf) };
    return { content: { policy: { id: spec.id, version: policyVersion(content) }, ...content }, rule, canary: false, trial: null };
  };
  let policy = policyOf(options.arms);

  return {
    state,
    setArms: (arms) => {
      policy = policyOf(arms);
    },
    decide: ({ features, atMs, draw }) => {
      const decision = decideRoute(
        {
          tenant,
          requestedModel: 'auto',
          features,
          maxOutputTokens: 0,
          needs: [],
          weights: settings.weights,
          budget,
          conversation: null,
          decidedAtMs: atMs,
          draw,
        },
        policy,
        state,
      );
      if (decision.kind !== 'chosen') throw new Error(`expected a choice, got ${decision.kind}`);
      countsOf(state, decision.choice.arm).decided++;
      return decision.choice;
    },
    learn: (choice, features, { atMs, success, costUsd = 0, latencyMs = 0 }) => {
      const filing = { policy: choice.policy, decidedAt: choice.decidedAt, cells: [...cellsFor(features)] };
      const first = rewardForCompletion({ completed: completed(choice, costUsd, latencyMs), cached: false, filing, config: settings });
      const score = Math.round(success * 1_000_000);
      // The judge's score comes as feedback does: as a revision.
      foldEvent(state, rewardEvent(first, atMs), atMs);
      if (score !== first.parts.success) {
        const standing = { ...first, counts: true, filing, judgedBy: undefined };
        foldEvent(
          state,
          rewardEvent(reviseReward(standing, { kind: 'measured', scoreMicro: score, feedbackId: 'measured' }, settings.weights), atMs),
          atMs,
        );
      }
      const used = state.totals.get(tenant);
      const last = state.paces.get(tenant) ?? null;
      const isPaced = budget.usdPerRequest !== null || budget.latencyTargetMs !== null;
      if (isPaced && used !== undefined && paceDue(last, used)) state.paces.set(tenant, nextPace(last, used, budget));
    },
  };
};

const armOf = (arm: string): PolicyContent['arms'][number] => ({
  arm,
  model: arm,
  enabled: true,
  contextTokens: 1_000_000_000,
  price: null,
  lacks: [],
});

const rewardEvent = (data: DataOf<'reward.recorded'>, timeMs: number): EventOf<'reward.recorded'> =>
  makeEvent(rewardRecorded, { tenant, requestId: 'bench', source: 'bench', timeMs, id: 'bench' }, data);

const completed = ({ arm, model }: RouteChoice, costUsd: number, latencyMs: number): DataOf<'response.completed'> => ({
  origin: 'provider',
  arm,
  model,
  finishReason: 'stop',
  promptTokens: 0,
  completionTokens: 0,
  usageSource: 'provider',
  costNanoUsd: Math.round(costUsd * 1e9),
  latencyMs,
  firstTokenMs: latencyMs,
  longestStallMs: 0,
  parts: 1,
  answerCharacters: 0,
  streamed: false,
  simulated: false,
});

/** For environments without prompts. */
export const noFeatures: RecordedFeatures = {
  version: 1,
  promptCharacters: 0,
  promptTokensEstimate: 0,
  messageCount: 1,
  lastMessageCharacters: 0,
  hasCode: false,
  hasMathematics: false,
  isQuestion: false,
};
