import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { idempotencyIds, makeEvent, shadowSkipped, type DataOf, type Tenant } from '../events/index.ts';
import type { Appender } from './appender.ts';

/**
 * Counts the shadows that were due and not made. What was counted is recorded and logged, one small event for each tenant that has any: the first of a tenant within seconds, further ones once a
 * minute, and what is left at the end, so that what was left out shows beside what was compared. A process that is killed loses less than a minute of counts.
 */
export type SkipReason = Exclude<keyof DataOf<'shadow.skipped'>, 'from' | 'to' | 'host'>;

export type ShadowSkips = {
  readonly count: (tenant: Tenant, reason: SkipReason) => void;
  /** Records what is left. */
  readonly close: () => Promise<void>;
};

/** Of one tenant. */
const tellEveryMs = 60_000;
const lookEveryMs = 2_000;
const patienceMs = 5_000;
const lastPatienceMs = 1_000;

const none = { noSecondArm: 0, cancelled: 0, concurrency: 0, rate: 0, budget: 0, draining: 0, unavailable: 0 } as const satisfies Counts;
type Counts = Readonly<Record<SkipReason, number>>;
type Tally = { readonly sinceMs: number; readonly counts: Record<SkipReason, number> };

export const createShadowSkips = (options: {
  readonly instance: string;
  readonly append: Appender;
  readonly logger: Logger;
  readonly nowMs: () => number;
}): ShadowSkips => {
  const { instance, append, logger, nowMs } = options;
  /** Of both at most one entry for each tenant. */
  const tallies = new Map<Tenant, Tally>();
  const lastToldMs = new Map<Tenant, number>();
  let told = 0;
  const closing = new AbortController();

  const tell = async (tenant: Tenant, { sinceMs, counts }: Tally, untilMs: number): Promise<void> => {
    const toMs = nowMs();
    const event = makeEvent(
      shadowSkipped,
      { tenant, requestId: `shadow-skips:${instance}`, source: `switchyard/${instance}`, timeMs: toMs },
      { from: new Date(sinceMs).toISOString(), to: new Date(toMs).toISOString(), host: instance, ...counts },
    );
    logger.info({ tenant, ...counts }, 'shadows were due and not made');
    await append([event], { idempotencyId: idempotencyIds.shadowSkips(tenant, instance, ++told), untilMs });
  };

  const tellAll = async (forMs: number, isDue: (tenant: Tenant) => boolean): Promise<void> => {
    const due = [...tallies].filter(([tenant]) => isDue(tenant));
    for (const [tenant] of due) {
      tallies.delete(tenant);
      lastToldMs.set(tenant, performance.now());
    }
    const untilMs = Date.now() + forMs;
    for (const [tenant, tally] of due)
      await tell(tenant, tally, untilMs).catch((error: unknown) => {
        logger.warn({ err: error, tenant, ...tally.counts }, 'the count of shadows that were not made could not be recorded');
      });
  };

  const telling = (async () => {
    const wasNotToldOfLate = (tenant: Tenant) => performance.now() - (lastToldMs.get(tenant) ?? -Infinity) >= tellEveryMs;
    while (await passed(lookEveryMs, closing.signal)) await tellAll(patienceMs, wasNotToldOfLate);
    await tellAll(lastPatienceMs, () => true);
  })();

  return {
    count: (tenant, reason) => {
      const tally = tallies.get(tenant) ?? { sinceMs: nowMs(), counts: { ...none } };
      tally.counts[reason] += 1;
      tallies.set(tenant, tally);
    },
    close: async () => {
      closing.abort();
      await telling;
    },
  };
};

/** False when it was broken off. Does not keep the process alive. */
const passed = (ms: number, signal: AbortSignal): Promise<boolean> => sleep(ms, true, { ref: false, signal }).catch(() => false);
