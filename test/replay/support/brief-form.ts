import type { BriefDecision, BriefEvent, BriefReward } from '../../../src/replay/again/brief.ts';
import type { EventOf, SwitchyardEvent } from '../../../src/events/index.ts';

/** A whole event in the brief form that columns give: as much as src/replay/again/brief.ts names of it, and nothing else. */
export const briefForm = (event: SwitchyardEvent): BriefEvent =>
  event.type === 'route.decided' ? briefDecision(event) : event.type === 'reward.recorded' ? briefReward(event) : event;

const briefDecision = ({ type, id, tenant, correlationid, time, data }: EventOf<'route.decided'>): BriefDecision => {
  const { arm, propensity, stateSequence, requestedModel, features, maxOutputTokens, needs, weights, conversation, draw } = data;
  const { usdPerRequest = null, latencyTargetMs = null } = data.pacing ?? {};
  const decidedAt = data.decidedAt ?? time;
  return {
    ...{ type, id, tenant, correlationid, time: decidedAt },
    data: {
      ...{ arm, propensity, stateSequence, requestedModel, features, maxOutputTokens, needs, weights, conversation, draw, decidedAt },
      policy: { id: data.policy.id, version: data.policy.version },
      pacing: { usdPerRequest, latencyTargetMs },
      candidates: data.candidates.map((candidate) => ({ arm: candidate.arm, propensity: candidate.propensity })),
    },
  };
};

const briefReward = ({ type, tenant, correlationid, time, data }: EventOf<'reward.recorded'>): BriefReward => {
  const { arm, cause, revision, cells, evidence, policy } = data;
  const decidedAt = data.decidedAt ?? time;
  return {
    ...{ type, tenant, correlationid, time: decidedAt },
    data: {
      ...{ arm, cause, revision, cells, evidence, decidedAt },
      policy: policy === null ? null : { canary: policy.canary, trial: policy.trial },
    },
  };
};
