import { afterEach, describe, expect, it } from 'vitest';
import { askRemote } from '../../src/actors/remote.ts';
import type { RouterReply } from '../../src/actors/router.ts';
import { createLogClock } from '../../src/actors/log-clock.ts';
import type { Bus } from '../../src/bus/bus.ts';
import type { EventLog, LogEntry } from '../../src/bus/event-log.ts';
import { createMemoryBus } from '../../src/bus/memory/bus.ts';
import { summaryOf } from '../../src/domain/routing/summary.ts';
import { sequence } from '../../src/events/index.ts';
import { snapshotFromLog } from '../../src/projections/state.ts';
import { eventually } from '../support/eventually.ts';
import { testSettings } from '../support/settings.ts';
import { eventsOfType, request, silent, startActors, type TestActors } from './support/actors.ts';

const given = () => {
  let nowMs = 1_000_000;
  let runningMs = 0;
  const setBack: string[] = [];
  const clock = createLogClock({
    hostMs: () => nowMs,
    runningMs: () => runningMs,
    logger: silent,
    onSetBack: (reason) => setBack.push(reason),
  });
  let place = 0;
  const saw = (sentAtMs: number, acknowledgedAtMs: number, storedAtMs: number, at = ++place) => {
    clock.saw({ sequence: at, sentAtMs, acknowledgedAtMs, storedAtMs });
  };
  const pass = (ms: number) => {
    nowMs += ms;
    runningMs += ms;
  };
  return { clock, saw, pass, setBack };
};

describe('the clock of the log', () => {
  it('is that of the host until they are seen to differ, and as long as they may agree', () => {
    const { clock, saw } = given();
    expect(clock.nowMs()).toBe(1_000_000);
    saw(999_000, 999_010, 999_004);
    expect(clock.nowMs()).toBe(1_000_000);
  });

  it('is behind a host that runs ahead and ahead of one that lags, by no more than was seen', () => {
    const { clock, saw } = given();
    saw(999_000, 999_010, 399_000);
    expect(1_000_000 - clock.nowMs()).toBeGreaterThanOrEqual(599_999);
    expect(1_000_000 - clock.nowMs()).toBeLessThanOrEqual(600_010);
    saw(999_000, 999_010, 999_005);
    expect(Math.abs(1_000_000 - clock.nowMs())).toBeLessThanOrEqual(6);
    saw(999_000, 999_010, 1_059_010);
    expect(clock.nowMs() - 1_000_000).toBeGreaterThanOrEqual(60_000);
  });

  it('has reached what was seen, less what servers part by, and that is forgotten', () => {
    const { clock, saw, pass } = given();
    expect(clock.reachedMs()).toBe(-Infinity);
    saw(0, 1, 500_000);
    saw(0, 1, 499_900);
    expect(clock.reachedMs()).toBe(499_800);
    pass(15_999);
    expect(clock.reachedMs()).toBe(499_800);
    pass(1);
    expect(clock.reachedMs()).toBe(-Infinity);
  });

  it('that was set back is told of; a message that is only seen late is none', () => {
    const { saw, setBack } = given();
    saw(0, 1, 500_000, 10);
    saw(0, 1, 400_000, 9);
    expect(setBack).toEqual([]);
    saw(0, 1, 400_000, 11);
    expect(setBack).toEqual([expect.stringContaining('set back by 99800 ms')]);
  });
});

const opened: TestActors[] = [];
afterEach(async () => {
  for (const actors of opened.splice(0)) await actors.close();
});

/** The bus, whose log has a clock of its own. */
const withLogClock = (bus: Bus, offsetMs: number): Bus => {
  const stamped = (entry: LogEntry): LogEntry => ({ ...entry, storedAtMs: entry.storedAtMs + offsetMs });
  const log: EventLog = {
    ...bus.log,
    at: async (position) => {
      const entry = await bus.log.at(position);
      return entry === null ? null : stamped(entry);
    },
    async *read(range) {
      for await (const entry of bus.log.read(range)) yield stamped(entry);
    },
    async *follow(range) {
      for await (const entry of bus.log.follow(range)) yield stamped(entry);
    },
  };
  return { ...bus, log };
};

describe('given a host whose clock differs from that of the log', () => {
  it.each([
    ['ten minutes ahead', -600_000],
    ['ten minutes behind', 600_000],
  ])('%s: decisions are dated by that of the log, and the state that lives is the fold of the log', async (_, offsetMs) => {
    const bus = withLogClock(createMemoryBus({ config: testSettings().config }), offsetMs);
    const actors = await startActors({ bus });
    opened.push(actors);
    await actors.ask(request({ id: 'first' }));
    for (let i = 0; i < 30; i++) await actors.ask(request({ id: `r${i}`, content: `question ${i}` }));
    const { last } = await bus.log.bounds();
    await eventually(async () => actors.yard.sequence() === last, { what: 'all to be folded' });

    const live = (await askRemote(bus.messenger, 'router', { type: 'state' })) as Extract<RouterReply, { kind: 'state' }>;
    expect(live.summary).toEqual(summaryOf(await snapshotFromLog(bus.log)));
    const decisions = await eventsOfType(bus, 'route.decided');
    expect(decisions.length).toBeGreaterThan(20);
    for (const { data, correlationid } of decisions) {
      const lagMs = Date.now() + offsetMs - Date.parse(data.decidedAt ?? '');
      if (correlationid !== 'first') expect(Math.abs(lagMs)).toBeLessThan(60_000);
    }
    // Nothing is filed under a later moment than that at which the log stored it.
    const end = await bus.log.at(sequence(last));
    expect((await snapshotFromLog(bus.log)).latestTick).toBeLessThanOrEqual(Math.floor((end?.storedAtMs ?? 0) / 16_000));
  });
});
