import type { Config } from '../config/schema.ts';
import { InvariantError } from '../errors.ts';
import type { Appender } from './appender.ts';
import type { Delivery } from './delivery.ts';
import { policyContent } from './policy.ts';
import { policyMessage } from './policy-change.ts';
import type { RouterCommand, RouterReply } from './router.ts';

/**
 * Puts the policy of the configuration in force, unless it was the last one to come from a configuration: what was changed by hand since stays, until the
 * configuration changes. Of several processes that start together one makes the change, the others find it.
 */
export const activateConfigured = async (parts: {
  readonly instance: string;
  readonly config: Config;
  readonly append: Appender;
  readonly delivery: Delivery;
  readonly router: { readonly ask: (command: RouterCommand) => RouterReply };
  readonly nowMs: () => number;
  readonly untilMs: number;
}): Promise<void> => {
  const content = policyContent(parts.config);
  for (;;) {
    const state = parts.router.ask({ type: 'policy' });
    if (state.kind !== 'policy') throw new InvariantError(`router: expected its policy, got ${state.kind}`);
    if (state.configured?.version === content.policy.version && state.inForce !== null) return;
    const { events, idempotencyId } = policyMessage(
      state,
      { kind: 'activate', content, origin: 'configuration' },
      { source: `switchyard/${parts.instance}`, timeMs: parts.nowMs() },
    );
    await parts.append(events, { idempotencyId, untilMs: parts.untilMs });
    await parts.delivery.catchUp();
  }
};
