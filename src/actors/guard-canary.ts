import { policyMessage } from './policy-change.ts';
import { startSweeps, type UpkeepParts } from './sweeps.ts';

/**
 * Takes a canary back that has become worse than the policy in force: the judgement is the router's (canary-guard.ts), this gives it effect. The number of the change is in the id of the
 * message, so that of several routers one takes it back, and none takes back what somebody has changed in the meantime.
 */
export const startGuardingCanary = (parts: UpkeepParts): { readonly close: () => Promise<void> } => {
  const { append, delivery, router, nowMs } = parts;
  const logger = parts.logger.child({ part: 'canary guard' });
  const source = `switchyard/${parts.instance}`;

  const sweep = async (): Promise<void> => {
    const state = router.ask({ type: 'policy' });
    if (state.kind !== 'policy') return;
    const verdict = state.report?.verdict ?? null;
    if (state.canary === null || verdict === null) return;
    const attemptId = `canary ${state.canary.change}`;
    if (sweeps.isGivenUp(attemptId)) return;
    await sweeps.attempt(attemptId, async () => {
      const { events, idempotencyId } = policyMessage(state, { kind: 'roll-back', verdict }, { source, timeMs: nowMs() });
      const appended = await append(events, { idempotencyId, untilMs: nowMs() + appendPatienceMs, signal: sweeps.signal });
      if (appended.kind === 'duplicate') await delivery.catchUp();
      else logger.warn({ policy: state.canary?.policy, sequence: appended.sequence, reason: verdict.reason }, 'the canary was taken back');
    });
  };
  const sweeps = startSweeps(logger, sweep);
  return { close: sweeps.close };
};

const appendPatienceMs = 5_000;
