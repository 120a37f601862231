import { describe, expect, it } from 'vitest';
import { routerConcern } from '../../src/actors/router.ts';
import type { EventLog } from '../../src/bus/event-log.ts';
import type { MemoryBus } from '../../src/bus/memory/bus.ts';
import { createMemoryBus } from '../../src/bus/memory/bus.ts';
import { evidenceFields } from '../../src/domain/routing/sums.ts';
import { snapshotOf, type StateSnapshot } from '../../src/domain/routing/snapshot.ts';
import { emptyRouterState, foldEvent } from '../../src/domain/routing/state.ts';
import { sequence } from '../../src/events/index.ts';
import { completed, decided, lateMs, rewarded, rewardOf } from '../domain/support/events.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { testSettings } from '../support/settings.ts';
import { silent } from './support/actors.ts';
import { logMemory } from './support/log-memory.ts';

const dayMs = 86_400_000;

/** A log of so many requests, each a decision and, in the next message, an outcome worth `n` millionths. */
const givenLog = async (requests: number, onDay: (n: number) => number = () => 0) => {
  const { config } = testSettings({ log: { maxAgeDays: 10 } });
  const clock = createManualClock(Date.parse('2026-02-01T12:00:00Z'));
  const bus: MemoryBus = createMemoryBus({ config, clock });
  let day = 0;
  for (let n = 1; n <= requests; n++) {
    clock.advance((onDay(n) - day) * dayMs);
    day = onDay(n);
    await bus.log.append([decided(`r${n}`)], { idempotencyId: `route-${n}` });
    await bus.log.append([completed(`r${n}`), rewarded(`r${n}`, rewardOf('quick', n))], { idempotencyId: `outcome-${n}` });
  }
  return { ...bus, clock };
};

type Options = {
  readonly log: EventLog;
  readonly base?: StateSnapshot | null | (() => Promise<StateSnapshot | null>);
  readonly atLeast?: number;
  readonly rebuildEntries?: number;
};

const rebuild = async ({ log, base = null, atLeast = 0, rebuildEntries = 50_000 }: Options) => {
  const { config } = testSettings({ ledger: { rebuildEntries } });
  const evidenceSource = typeof base === 'function' ? base : async () => base;
  const concern = routerConcern({ config, log, evidenceSource, memory: logMemory(log), logger: silent });
  const rebuilt = await concern.rebuild({ atLeast: sequence(atLeast), signal: new AbortController().signal });
  const { routing, ledger } = rebuilt.state;
  const all = routing.evidence.arms.get('quick')?.cells.get('all')?.total;
  return {
    sequence: rebuilt.sequence,
    quick: all && worth(all[evidenceFields.indexOf('trials')] ?? 0, all[evidenceFields.indexOf('success')] ?? 0),
    state: snapshotOf(routing),
    known: [...ledger.requests.keys()],
  };
};

const worth = (trials: number, success: number) => ({ trials, success });
const sumTo = (n: number) => (n * (n + 1)) / 2;
/** What ClickHouse would say at a place in the log: the sums of so many requests, whose decisions and outcomes take turns. */
const at = (position: number, ended: number, decisions = Math.ceil(position / 2)): StateSnapshot => {
  const state = emptyRouterState(position);
  for (let n = 1; n <= decisions; n++) foldEvent(state, decided(`r${n}`), lateMs);
  for (let n = 1; n <= ended; n++) foldEvent(state, rewarded(`r${n}`, rewardOf('quick', n)), lateMs);
  return snapshotOf(state);
};

describe('the router is rebuilt', () => {
  it('from nothing', async () => {
    const { log } = await givenLog(0);
    expect(await rebuild({ log })).toMatchObject({ sequence: 0, quick: undefined, known: [] });
  });

  it('from the log alone', async () => {
    const { log } = await givenLog(10);
    expect(await rebuild({ log })).toMatchObject({ sequence: 20, quick: worth(10, 55) });
  });

  it.each([0, 7, 8, 19, 20])('from the sums up to %i and the tail of the log, as if from the log alone', async (position) => {
    const { log } = await givenLog(10);
    const rebuilt = await rebuild({ log, base: at(position, Math.floor(position / 2)) });
    expect(rebuilt).toEqual(await rebuild({ log }));
    expect(rebuilt.known).toHaveLength(10);
  });

  it('from sums that were made while the log went on', async () => {
    const { log } = await givenLog(5);
    const base = async () => {
      for (let n = 6; n <= 8; n++)
        await log.append([completed(`r${n}`), rewarded(`r${n}`, rewardOf('quick', n))], { idempotencyId: `late-${n}` });
      return at(13, 8);
    };
    expect(await rebuild({ log, base })).toMatchObject({ sequence: 13, quick: worth(8, sumTo(8)) });
  });

  it('without sums that reach beyond the log: they are of a log that was lost', async () => {
    const { log } = await givenLog(10);
    expect(await rebuild({ log, base: at(21, 11) })).toMatchObject({ sequence: 20, quick: worth(10, 55) });
  });

  it('at least as far as was handed out already', async () => {
    const { log } = await givenLog(10);
    expect((await rebuild({ log, atLeast: 20 })).sequence).toBe(20);
  });

  it('without the sums, from what is left of a log whose beginning has aged out', async () => {
    const { log, clock } = await givenLog(10, (n) => (n <= 4 ? 0 : 5));
    clock.advance(6 * dayMs);
    // A shelf forgets when something is stored.
    await log.append([decided('r11')], { idempotencyId: 'route-11' });
    expect((await log.bounds()).first).toBe(9);
    expect(await rebuild({ log })).toMatchObject({ sequence: 21, quick: worth(6, sumTo(10) - sumTo(4)) });
    expect(await rebuild({ log, base: at(8, 4) })).toMatchObject({ sequence: 21, quick: worth(10, sumTo(10)) });
    expect(await rebuild({ log, base: at(12, 6) })).toMatchObject({ sequence: 21, quick: worth(10, sumTo(10)) });
    // The sums end before the log begins: what lies between is lost to the state, and does not stop it.
    expect(await rebuild({ log, base: at(4, 2) })).toMatchObject({ sequence: 21, quick: worth(8, sumTo(2) + sumTo(10) - sumTo(4)) });
  });

  it('from a log that aged out altogether', async () => {
    const { log, clock } = await givenLog(3);
    clock.advance(11 * dayMs);
    await log.append([decided('r4')], { idempotencyId: 'route-4' });
    expect(await rebuild({ log })).toMatchObject({ sequence: 7, quick: undefined });
    expect(await rebuild({ log, base: at(6, 3) })).toMatchObject({ sequence: 7, quick: worth(3, 6) });
  });

  it('past a message that somebody took out of the log', async () => {
    const { log } = await givenLog(5);
    const withHole: EventLog = {
      ...log,
      async *read(range) {
        for await (const entry of log.read(range)) if (entry.sequence !== 4) yield entry;
      },
    };
    expect(await rebuild({ log: withHole })).toMatchObject({ sequence: 10, quick: worth(4, sumTo(5) - 2) });
  });

  it('past poison', async () => {
    const { log, inject } = await givenLog(2);
    inject('switchyard.event.acme.x', new TextEncoder().encode('garbage'));
    await log.append([completed('r3'), rewarded('r3', rewardOf('quick', 3))], { idempotencyId: 'outcome-3' });
    expect(await rebuild({ log })).toMatchObject({ sequence: 6, quick: worth(3, 6) });
  });

  it('with a ledger of the recent messages only, also where the sums reach further back', async () => {
    const { log } = await givenLog(10);
    expect((await rebuild({ log, base: at(20, 10), rebuildEntries: 6 })).known).toEqual(['acme:r8', 'acme:r9', 'acme:r10']);
    expect(await rebuild({ log, base: at(4, 2), rebuildEntries: 6 })).toMatchObject({ sequence: 20, quick: worth(10, 55) });
  });
});
