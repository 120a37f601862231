import { InvariantError } from '../../errors.ts';
import type { DataOf, EventOf, EventType, SwitchyardEvent, Tenant } from '../../events/index.ts';
import { addEvidence, emptyEvidence, type Evidence } from './evidence.ts';
import { filedAtMs } from './filing.ts';
import { addInto, noSums, sumsOf, type Sums } from './sums.ts';
import { noTotals, type Pace, type PaceTotals } from './pacing.ts';
import type { Policy } from './policies/policy.ts';
import { policyFrom } from './policies/index.ts';
import type { PolicyContent } from './policy-version.ts';

/**
 * All that the router decides from: the fold of exactly the log up to `sequence`. Every part is a sum of whole numbers, or the event with the highest number, so that the same events give the same state in
 * whatever order and however often they are read; folding live goes by sequence and skips what was folded before.
 */
export type RouterState = {
  sequence: number;
  readonly evidence: Evidence;
  /** By arm: requests it was chosen for, and how many of them have ended. */
  readonly chosen: Map<string, ChosenCounts>;
  /** By tenant: what its routed requests did cost and take. */
  readonly totals: Map<Tenant, PaceTotals>;
  readonly paces: Map<Tenant, Pace>;
  policy: Activated | null;
  /** The latest policy that came from a configuration: the same one at the start of a process changes nothing. */
  configured: { readonly version: string; readonly change: number } | null;
  canary: Canary | null;
  canaryEnded: DataOf<'policy.canary_ended'> | null;
  /** Evidence of both sides of the latest canary, see `DataOf<'reward.recorded'>['policy']['trial']`. */
  trial: Trial;
};

export type ChosenCounts = { decided: number; ended: number };
export type Activated = { readonly event: DataOf<'policy.activated'>; readonly rule: Policy };
export type Canary = { readonly event: DataOf<'policy.canary_started'>; readonly rule: Policy };
export type Trial = { readonly change: number; readonly stable: Sums; readonly canary: Sums };

export const noTrial = (change: number): Trial => ({ change, stable: noSums(), canary: noSums() });

export const emptyRouterState = (sequence = 0): RouterState => ({
  sequence,
  evidence: emptyEvidence(),
  chosen: new Map(),
  totals: new Map(),
  paces: new Map(),
  policy: null,
  configured: null,
  canary: null,
  canaryEnded: null,
  trial: noTrial(0),
});

/** The canary that decides now. */
export const runningCanary = ({ canary, canaryEnded }: RouterState): Canary | null =>
  canary !== null && (canaryEnded === null || canaryEnded.change < canary.event.change) ? canary : null;

/** Number of the latest change of policy; the next one has the number after it. */
export const latestChange = ({ policy, canary, canaryEnded }: RouterState): number =>
  Math.max(policy?.event.change ?? 0, canary?.event.change ?? 0, canaryEnded?.change ?? 0);

/** Folds the events of one log entry in place. */
export const evolveRouter = (
  state: RouterState,
  entry: { readonly sequence: number; readonly storedAtMs: number; readonly events: readonly FoldedEvent[] },
): RouterState => {
  if (entry.sequence <= state.sequence) return state;
  if (entry.sequence !== state.sequence + 1)
    throw new InvariantError(`router: expected log sequence ${state.sequence + 1}, got ${entry.sequence}`);
  for (const event of entry.events) foldEvent(state, event, entry.storedAtMs);
  state.sequence = entry.sequence;
  return state;
};

/** The events that change the state; all others pass. */
export const routerEventTypes = [
  'route.decided',
  'reward.recorded',
  'budget.paced',
  'policy.activated',
  'policy.canary_started',
  'policy.canary_ended',
] as const satisfies readonly EventType[];

/** As much of an event as the fold reads: the state is the same, whatever else there is of it. */
export type FoldedEvent = Exclude<SwitchyardEvent, { type: 'route.decided' | 'reward.recorded' }> | FoldedDecision | FoldedReward;
export type FoldedDecision = Pick<EventOf<'route.decided'>, 'type'> & { readonly data: Pick<DataOf<'route.decided'>, 'arm'> };
export type FoldedReward = Pick<EventOf<'reward.recorded'>, 'type' | 'tenant' | 'time'> & {
  readonly data: Pick<DataOf<'reward.recorded'>, 'arm' | 'cause' | 'decidedAt' | 'evidence' | 'revision'> & {
    readonly cells: readonly string[];
    readonly policy: Pick<NonNullable<DataOf<'reward.recorded'>['policy']>, 'canary' | 'trial'> | null;
  };
};

/** Folds one event, whatever its place in the log, which stored it at `storedAtMs`. */
export const foldEvent = (state: RouterState, event: FoldedEvent, storedAtMs: number): void => {
  switch (event.type) {
    case 'reward.recorded':
      foldReward(state, event, storedAtMs);
      return;
    case 'route.decided':
      countsOf(state, event.data.arm).decided++;
      return;
    case 'budget.paced':
      foldPace(state, event.tenant, event.data);
      return;
    case 'policy.activated':
      foldPolicy(state, event.data);
      return;
    case 'policy.canary_started':
      if (event.data.change <= (state.canary?.event.change ?? 0)) return;
      state.canary = { event: event.data, rule: ruleOf(event.data) };
      if (event.data.change > state.trial.change) state.trial = noTrial(event.data.change);
      return;
    case 'policy.canary_ended':
      if (event.data.change > (state.canaryEnded?.change ?? 0)) state.canaryEnded = event.data;
      return;
    case 'cache.hit':
    case 'cache.stored':
    case 'feedback.received':
    case 'feedback.rejected':
    case 'response.completed':
    case 'response.failed':
    case 'shadow.completed':
    case 'shadow.granted':
    case 'shadow.skipped':
      return;
  }
};

const foldPolicy = (state: RouterState, event: DataOf<'policy.activated'>): void => {
  const { change, origin, policy } = event;
  if (takesEffect(change, state.policy?.event.change)) state.policy = { event, rule: ruleOf(event) };
  if (origin === 'configuration' && takesEffect(change, state.configured?.change)) state.configured = { version: policy.version, change };
};

/** Of two changes with the same number the first in the log stands. Those recorded before changes were numbered follow each other in the order of the log: they alone depend on it. */
const takesEffect = (change: number, before = 0): boolean => change > before || (change === 0 && before === 0);

/** What one reward adds is read at once: one array serves for all. */
const delta = noSums();

const foldReward = (state: RouterState, event: FoldedReward, storedAtMs: number): void => {
  const { arm, cause, cells, evidence, policy, revision } = event.data;
  const sums = sumsOf(evidence, delta);
  if (cells.length > 0) addEvidence(state.evidence, arm, cells, filedAtMs(event, storedAtMs), sums);
  // By the cause, as rewards of version 1 name no policy: each decision that is counted must end, or its arm would stay on trial for ever.
  if (revision === 0 && cause !== 'cache') countsOf(state, arm).ended++;
  if (policy === null) return;
  if (policy.trial !== null) foldTrial(state, policy.trial, policy.canary, sums);
  if (revision === 0) {
    const before = state.totals.get(event.tenant) ?? noTotals;
    state.totals.set(event.tenant, {
      requests: before.requests + 1,
      costNanoUsd: before.costNanoUsd + evidence.costNanoUsd,
      latencyMs: before.latencyMs + evidence.latencyMs,
    });
  }
};

const foldTrial = (state: RouterState, change: number, canary: boolean, sums: Sums): void => {
  if (change < state.trial.change) return;
  if (change > state.trial.change) state.trial = noTrial(change);
  addInto(canary ? state.trial.canary : state.trial.stable, sums);
};

const foldPace = (state: RouterState, tenant: Tenant, pace: Pace): void => {
  if (pace.step > (state.paces.get(tenant)?.step ?? 0)) state.paces.set(tenant, pace);
};

export const countsOf = (state: RouterState, arm: string): ChosenCounts => {
  const known = state.chosen.get(arm);
  if (known !== undefined) return known;
  const made: ChosenCounts = { decided: 0, ended: 0 };
  state.chosen.set(arm, made);
  return made;
};

export const ruleOf = (content: PolicyContent): Policy => policyFrom(content.spec);
