import { isOfCanary } from './assignment.ts';
import type { DecidingPolicy } from './router.ts';
import { runningCanary, type RouterState } from './state.ts';

/** The policies that decide in a state: the one in force, null before the log has named one, and the canary beside it, null when none runs. */
export const stableDecider = (state: RouterState): DecidingPolicy | null => {
  const { policy } = state;
  return policy === null ? null : { content: policy.event, rule: policy.rule, canary: false, trial: trialOf(state) };
};

export const canaryDecider = (state: RouterState): DecidingPolicy | null => {
  const running = runningCanary(state);
  return running === null ? null : { content: running.event, rule: running.rule, canary: true, trial: running.event.change };
};

/** Who decides for a conversation, or for a request that belongs to none; null before the log has named a policy. */
export const deciderFor = (state: RouterState, key: string): DecidingPolicy | null => {
  const running = runningCanary(state);
  return running !== null && isOfCanary(running.event, key) ? canaryDecider(state) : stableDecider(state);
};

const trialOf = (state: RouterState): number | null => runningCanary(state)?.event.change ?? null;
