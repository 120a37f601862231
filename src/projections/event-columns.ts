import type { SwitchyardEvent } from '../events/index.ts';
import type { TypedColumns } from './table.ts';

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
        propensity: data.propensity,
        draw: data.draw,
        state_sequence: data.stateSequence,
        cache_state: data.cache,
        question: data.question,
        streamed: data.streamed,
      };
    }
    case 'policy.activated':
      return { policy_id: event.data.policy.id, policy_version: event.data.policy.version };
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
      const { arm, model, revision, cause, rewardMicro, parts, evidence } = event.data;
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
        evidence_trials: evidence.trials,
        evidence_success: evidence.success,
        evidence_streaming: evidence.streaming,
        evidence_cache: evidence.cache,
        evidence_cost: evidence.cost,
      };
    }
    case 'feedback.received': {
      const { feedbackId, kind, scoreMicro } = event.data;
      return { feedback_id: feedbackId, feedback_kind: kind, score_micro: scoreMicro };
    }
  }
};
