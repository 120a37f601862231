import type { z } from 'zod';
import { cacheHit, cacheStored } from './schemas/cache.ts';
import { budgetPaced, canaryEnded, canaryStarted, policyActivated } from './schemas/policy.ts';
import { routeDecided } from './schemas/route.ts';
import { responseCompleted, responseFailed } from './schemas/response.ts';
import { feedbackReceived, feedbackRejected } from './schemas/feedback.ts';
import { rewardRecorded } from './schemas/reward.ts';
import { shadowCompleted, shadowGranted, shadowSkipped } from './schemas/shadow.ts';

/** Every event there is. A type that is not here cannot be appended or read. */
export const catalogue = {
  'cache.hit': cacheHit,
  'cache.stored': cacheStored,
  'route.decided': routeDecided,
  'policy.activated': policyActivated,
  'policy.canary_started': canaryStarted,
  'policy.canary_ended': canaryEnded,
  'budget.paced': budgetPaced,
  'response.completed': responseCompleted,
  'response.failed': responseFailed,
  'reward.recorded': rewardRecorded,
  'feedback.received': feedbackReceived,
  'feedback.rejected': feedbackRejected,
  'shadow.completed': shadowCompleted,
  'shadow.granted': shadowGranted,
  'shadow.skipped': shadowSkipped,
} as const;

export type EventType = keyof typeof catalogue;
export type EventOf<Type extends EventType> = z.infer<(typeof catalogue)[Type]['schema']>;
/** The union of all events, told apart by `type`. */
export type SwitchyardEvent = { [Type in EventType]: EventOf<Type> }[EventType];

export type DataOf<Type extends EventType> = EventOf<Type>['data'];
