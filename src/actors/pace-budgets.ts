import { budgetPaced, idempotencyIds, makeEvent } from '../events/index.ts';
import { startSweeps, type UpkeepParts } from './sweeps.ts';

/** Sets the prices of money and time anew for tenants whose requests have ended since the last time. The number of the step is in its id, so that of several routers one makes it. */
export const startPacing = (parts: UpkeepParts): { readonly close: () => Promise<void> } => {
  const { append, delivery, router, nowMs } = parts;
  const source = `switchyard/${parts.instance}`;

  const sweep = async (): Promise<void> => {
    const due = router.ask({ type: 'paces-due' });
    if (due.kind !== 'paces-due') return;
    for (const { tenant, pace, stateSequence } of due.paces)
      await sweeps.attempt(`${tenant}:${pace.step}`, async () => {
        const event = makeEvent(
          budgetPaced,
          { tenant, requestId: `pace:${pace.step}`, source, timeMs: nowMs() },
          { ...pace, stateSequence },
        );
        const appended = await append([event], {
          idempotencyId: idempotencyIds.pace(tenant, pace.step),
          untilMs: nowMs() + appendPatienceMs,
          signal: sweeps.signal,
        });
        if (appended.kind === 'duplicate') await delivery.catchUp();
      });
  };
  const sweeps = startSweeps(parts.logger.child({ part: 'pacing' }), sweep);
  return { close: sweeps.close };
};

const appendPatienceMs = 5_000;
