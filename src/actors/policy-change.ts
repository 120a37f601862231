import type { CanaryReport } from '../domain/routing/canary-guard.ts';
import type { PolicyContent } from '../domain/routing/policy-version.ts';
import { InvariantError } from '../errors.ts';
import {
  canaryEnded,
  canaryStarted,
  idempotencyIds,
  makeEvent,
  policyActivated,
  systemTenant,
  type DataOf,
  type NonEmpty,
  type SwitchyardEvent,
} from '../events/index.ts';
import type { RouterReply } from './router.ts';

/**
 * The events of a change of policy. Each has a number, one more than the latest; several that belong together are one message, so that nobody ever sees half a change. The message is appended
 * under the number of its first event: of two that were made from the same state, the first in the log stands, and the other has to be made anew.
 *
 * A canary is compared with the policy that was in force when it began. Whoever changes that policy ends the comparison, and so the canary.
 */
export type PolicyState = Extract<RouterReply, { readonly kind: 'policy' }>;

type Guard = DataOf<'policy.canary_started'>['guard'];
type Verdict = NonNullable<CanaryReport['verdict']>;

export type PolicyChange =
  | { readonly kind: 'activate'; readonly content: PolicyContent; readonly origin: 'configuration' | 'command' }
  | { readonly kind: 'start-canary'; readonly content: PolicyContent; readonly share: number; readonly guard: Guard }
  | { readonly kind: 'promote' }
  | { readonly kind: 'withdraw'; readonly reason: string }
  | { readonly kind: 'roll-back'; readonly verdict: Verdict };

export type PolicyMessage = { readonly events: NonEmpty<SwitchyardEvent>; readonly idempotencyId: string };

/** `promote`, `withdraw` and `roll-back` need a running canary: without one they throw an InvariantError. */
export const policyMessage = (
  state: PolicyState,
  change: PolicyChange,
  about: { readonly source: string; readonly timeMs: number },
): PolicyMessage => {
  const first = state.latestChange + 1;
  const contextOf = (version: string) => ({ tenant: systemTenant, requestId: `policy:${version}`, ...about });
  const ended = (canary: Canary, end: Pick<DataOf<'policy.canary_ended'>, 'outcome' | 'reason' | 'evidence'>) =>
    makeEvent(canaryEnded, contextOf(canary.policy.version), {
      policy: canary.policy,
      change: first,
      ...end,
      stateSequence: state.stateSequence,
    });
  const withdrawn = (reason: string) =>
    state.canary === null ? null : ended(state.canary, { outcome: 'withdrawn', reason, evidence: null });
  const activated = (content: PolicyContent, origin: DataOf<'policy.activated'>['origin'], number: number) =>
    makeEvent(policyActivated, contextOf(content.policy.version), { ...contentOf(content), origin, change: number });

  const eventsOf = (): NonEmpty<SwitchyardEvent> => {
    switch (change.kind) {
      case 'activate': {
        const end = withdrawn('another policy was put in force');
        return end === null
          ? [activated(change.content, change.origin, first)]
          : [end, activated(change.content, change.origin, first + 1)];
      }
      case 'start-canary': {
        const { content, share, guard } = change;
        const end = withdrawn('another canary was started');
        const started = (number: number) =>
          makeEvent(canaryStarted, contextOf(content.policy.version), { ...contentOf(content), change: number, share, guard });
        return end === null ? [started(first)] : [end, started(first + 1)];
      }
      case 'promote': {
        const canary = runningIn(state);
        return [
          ended(canary, { outcome: 'promoted', reason: 'promoted by hand', evidence: null }),
          activated(canary, 'promotion', first + 1),
        ];
      }
      case 'withdraw':
        return [ended(runningIn(state), { outcome: 'withdrawn', reason: change.reason, evidence: null })];
      case 'roll-back':
        return [ended(runningIn(state), { outcome: 'rolled-back', ...change.verdict })];
    }
  };
  return { events: eventsOf(), idempotencyId: idempotencyIds.policyChange(first) };
};

type Canary = DataOf<'policy.canary_started'>;

const runningIn = ({ canary }: PolicyState): Canary => {
  if (canary === null) throw new InvariantError('expected a running canary, there is none');
  return canary;
};

/** Without what else the event that it comes from holds. */
const contentOf = ({ policy, spec, weights, arms }: PolicyContent): PolicyContent => ({ policy, spec, weights, arms });
