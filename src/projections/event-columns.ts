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
        previous_arm: data.conversation?.previousArm ?? '',
        usd_per_request: data.pacing?.usdPerRequest ?? 0,
        latency_target_ms: data.pacing?.latencyTargetMs ?? 0,
        weights: data.weights,
        needs: data.needs,
        max_output_tokens: data.maxOutputTokens,
        candidate_arms: data.candidates.map(({ arm }) => arm),
        candidate_propensities: data.candidates.map(({ propensity }) => propensity),
        broken_arms: data.exclusions.filter(({ reason }) => reason === 'breaker-open').map(({ arm }) => arm),
        features: featuresOf(data.features),
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

const featuresOf = (features: RecordedFeatures): NonNullable<TypedColumns['features']> => {
  const common = {
    prompt_characters: features.promptCharacters,
    prompt_tokens_estimate: features.promptTokensEstimate,
    message_count: features.messageCount,
    last_message_characters: features.lastMessageCharacters,
    has_code: features.hasCode,
    has_mathematics: features.hasMathematics,
    is_question: features.isQuestion,
  };
  const { version } = features;
  if (version === 1) return { version, ...common, ...missingInVersion1 };
  return {
    version,
    ...common,
    conversation_depth: features.conversationDepth,
    has_system_prompt: features.hasSystemPrompt,
    requested_tokens: features.requestedTokens,
    requested_format: features.requestedFormat,
    opening: features.opening,
    ending: features.ending,
    system: features.system ?? -1,
  };
};

const missingInVersion1 = {
  conversation_depth: 0,
  has_system_prompt: false,
  requested_tokens: 0,
  requested_format: '',
  opening: 0,
  ending: 0,
  system: -1,
} as const;

const evidenceOf = ({ evidence }: DataOf<'reward.recorded'>): TypedColumns =>
  Object.fromEntries(evidenceFields.map((field) => [evidenceColumns[field], evidence[field]]));
