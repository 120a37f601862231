import type { Config } from '../config/schema.ts';
import { InvariantError, TransientError } from '../errors.ts';
import type { Appender } from './appender.ts';
import type { Delivery } from './delivery.ts';
import { withPatience } from './patience.ts';
import { policyContent } from './policy.ts';
import { policyMessage } from './policy-change.ts';
import type { RouterCommand, RouterReply } from './router.ts';

/**
 * Puts the policy of the configuration in force, unless it was the last one to come from a configuration: what was changed by hand since stays, until the
 * configuration changes. Of several processes that start together one makes the change, the others find it.
 *
 * Where no policy is known to be in force but the beginning of the log is gone, changes may have been among what is gone: no more of them than messages, so that a number behind these is higher than theirs.
 */
export const activateConfigured = async (parts: {
  readonly instance: string;
  readonly config: Config;
  readonly append: Appender;
  readonly delivery: Delivery;
  readonly router: { readonly ask: (command: RouterCommand) => RouterReply };
  /** The first sequence that the log still holds. */
  readonly oldest: () => Promise<number>;
  readonly nowMs: () => number;
  readonly untilMs: number;
}): Promise<void> => {
  const { append, config, delivery, instance, nowMs, oldest, router, untilMs } = parts;
  const content = policyContent(config);
  const isInForce = (): boolean => {
    const state = policyOf(router);
    return state.configured?.version === content.policy.version && state.inForce !== null;
  };
  const change = async (): Promise<void> => {
    if (isInForce()) return;
    const state = policyOf(router);
    const latestChange = state.inForce === null ? Math.max(state.latestChange, (await oldest()) - 1) : state.latestChange;
    const { events, idempotencyId } = policyMessage(
      { ...state, latestChange },
      { kind: 'activate', content, origin: 'configuration' },
      { source: `switchyard/${instance}`, timeMs: nowMs() },
    );
    await append(events, { idempotencyId, untilMs });
    await delivery.catchUp();
    if (!isInForce()) throw new TransientError('policy_changed', 'another process changed the policy at the same moment', 0);
  };
  await withPatience(change, { untilMs });
};

const policyOf = (router: { readonly ask: (command: RouterCommand) => RouterReply }): Extract<RouterReply, { kind: 'policy' }> => {
  const state = router.ask({ type: 'policy' });
  if (state.kind !== 'policy') throw new InvariantError(`router: expected its policy, got ${state.kind}`);
  return state;
};
