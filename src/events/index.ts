export { catalogue, type DataOf, type EventOf, type EventType, type SwitchyardEvent } from './catalogue.ts';
export { contentTypes, decodeEvent, decodeEvents, encodeEvents, type Checks, type NonEmpty } from './codec.ts';
export { makeEvent, type EventContext } from './envelope.ts';
export {
  nameSchema,
  requestIdSchema,
  sequence,
  systemTenant,
  tenantSchema,
  type RequestId,
  type Sequence,
  type Tenant,
} from './identifiers.ts';
export { cacheHit, cacheStored } from './schemas/cache.ts';
export { routeDecided, type RecordedFeatures, type RequestFeatures } from './schemas/route.ts';
export { budgetPaced, canaryEnded, canaryStarted, policyActivated, type PolicySpec } from './schemas/policy.ts';
export { failureCodeSchema, responseCompleted, responseFailed, type FailureCode } from './schemas/response.ts';
export { feedbackReceived, feedbackRejected, type FeedbackKind } from './schemas/feedback.ts';
export { rewardRecorded } from './schemas/reward.ts';
export { shadowCompleted, shadowGranted, shadowSkipped } from './schemas/shadow.ts';
export { idempotencyIds, subjects } from './subjects.ts';
