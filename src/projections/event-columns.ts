import { evidenceFields } from '../domain/routing/sums.ts';
import type { DataOf, RecordedFeatures, SwitchyardEvent } from '../events/index.ts';
import { dateTimeText } from './date-time.ts';
import { evidenceColumns, type TypedColumns } from './table.ts';

/** The facts of an event that analysts filter and sum by, each in a column of its own. The whole of `data` is kept beside them. */
export const columnsOf = (event: SwitchyardEvent): TypedColumns => {
  switch (event.type) {
    case 'route.decided': {
      const { data } = event;
      return {
        arm: data.arm,
        model: data.model,
        requested_model: data.requestedModel,
        policy_id: data.policy.id,
        policy_version: data.policy.version,
        canary: data.policy.canary,
        trial: data.policy.trial ?? 0,
        decided_at: dateTimeText(data.decidedAt ?? event.time),
        reward_per_usd: data.pacing?.rewardPerUsd ?? 0,
        reward_per_second: data.pacing?.rewardPerSecond ?? 0,
        conversation: data.conversation?.id ?? '',
        ...kindOf(data.features),
        propensity: data.propensity,
        draw: data.draw,
        state_sequence: data.stateSequence,
        cache_state: data.cache,
        question: data.question,
        streamed: data.streamed,
      };
    }
    case 'policy.activated':
      return { ...policyOf(event.data), policy_origin: event.data.origin };
    case 'policy.canary_started':
    case 'policy.canary_ended':
      return policyOf(event.data);
    case 'budget.paced': {
      const { step, rewardPerUsd, rewardPerSecond } = event.data;
      return { step, reward_per_usd: rewardPerUsd, reward_per_second: rewardPerSecond };
    }
    case 'cache.hit': {
      const { data } = event;
      return {
        arm: data.arm,
        model: data.model,
        question: data.key,
        cache_state: data.lookup,
        cache_age_ms: data.ageMs,
        saved_cost_nano_usd: data.savedCostNanoUsd,
      };
    }
    case 'cache.stored':
      return { arm: event.data.arm, model: event.data.model, question: event.data.key };
    case 'response.completed': {
      const { data } = event;
      return {
        arm: data.arm,
        model: data.model,
        origin: data.origin,
        outcome: 'completed',
        finish_reason: data.finishReason,
        latency_ms: data.latencyMs,
        first_token_ms: data.firstTokenMs,
        longest_stall_ms: data.longestStallMs,
        prompt_tokens: data.promptTokens,
        completion_tokens: data.completionTokens,
        cost_nano_usd: data.costNanoUsd,
        streamed: data.streamed,
        simulated: data.simulated,
      };
    }
    case 'response.failed': {
      const { data } = event;
      return {
        arm: data.arm ?? '',
        model: data.model ?? '',
        outcome: data.code,
        latency_ms: data.latencyMs,
        prompt_tokens: data.promptTokens,
        completion_tokens: data.completionTokens,
        cost_nano_usd: data.costNanoUsd,
        streamed: data.streamed,
        simulated: data.simulated,
      };
    }
    case 'reward.recorded': {
      const { arm, model, revision, cause, rewardMicro, parts, policy, decidedAt, cells } = event.data;
      return {
        arm,
        model,
        revision,
        cause,
        reward_micro: rewardMicro,
        success_micro: parts.success,
        streaming_micro: parts.streaming,
        cache_micro: parts.cache,
        cost_micro: parts.cost,
        policy_id: policy?.id ?? '',
        policy_version: policy?.version ?? '',
        canary: policy?.canary ?? false,
        trial: policy?.trial ?? 0,
        decided_at: dateTimeText(decidedAt ?? event.time),
        cells,
        ...evidenceOf(event.data),
      };
    }
    case 'feedback.received': {
      const { feedbackId, kind, scoreMicro } = event.data;
      return { feedback_id: feedbackId, feedback_kind: kind, score_micro: scoreMicro };
    }
    case 'feedback.rejected':
      return { feedback_id: event.data.feedbackId };
    // The figures of a shadow stand in `data` alone: a sum over a column would take them for those of an answer that somebody was given.
    case 'shadow.completed':
    case 'shadow.granted':
    case 'shadow.skipped':
      return {};
  }
};

const policyOf = ({
  policy,
  change,
}: {
  readonly policy: DataOf<'policy.canary_ended'>['policy'];
  readonly change: number;
}): TypedColumns => ({
  policy_id: policy.id,
  policy_version: policy.version,
  policy_change: change,
});

/** Features of version 1 tell no kinds of request apart. */
const kindOf = (features: RecordedFeatures): TypedColumns =>
  features.version === 1 ? {} : { request_kind: features.kind, language: features.language, complexity: features.complexity };

const evidenceOf = ({ evidence }: DataOf<'reward.recorded'>): TypedColumns =>
  Object.fromEntries(evidenceFields.map((field) => [evidenceColumns[field], evidence[field]]));
