import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog } from '../../../src/bus/event-log.ts';
import type { Bus } from '../../../src/bus/bus.ts';
import { routerEventTypes } from '../../../src/domain/routing/state.ts';
import { sequence } from '../../../src/events/index.ts';
import type { Clickhouse } from '../../../src/projections/clickhouse.ts';
import { recordEpoch } from '../../../src/projections/epochs.ts';
import { openMaterial, type Material } from '../../../src/replay/again/material.ts';
import type { Message } from '../../../src/replay/again/messages.ts';
import { stateLagMessages } from '../../../src/replay/again/walk.ts';
import { createTestBus } from '../../actors/support/actors.ts';
import { openShaped, project, testFolder } from '../../support/projection.ts';
import { all, decidedAgain, decidedLog, decisionsIn, messagesIn, unequal } from '../support/decided-log.ts';

/** A log and its rows in the real engine. */
let bus: Bus;
let folder: Awaited<ReturnType<typeof testFolder>>;
let clickhouse: Clickhouse;
let messages: readonly Message[];
beforeAll(async () => {
  bus = await decidedLog(150);
  messages = await messagesIn(bus);
  folder = await testFolder();
  clickhouse = await openShaped(folder.path);
  await project(clickhouse, bus);
});
afterAll(async () => {
  await clickhouse.close();
  await folder.remove();
});

/** The log after its first messages have aged out. */
const agedTo = (first: number): EventLog => ({
  ...bus.log,
  bounds: async () => ({ ...(await bus.log.bounds()), first: sequence(first) }),
  read: (range) => bus.log.read({ ...range, from: sequence(Math.max(range.from, first)) }),
  at: async (at) => (at < first ? null : bus.log.at(at)),
});

/** The log whose first messages age out right after its bounds were looked at. */
const agingTo = (first: number): EventLog => ({ ...agedTo(first), bounds: () => bus.log.bounds() });

const last = () => messages.at(-1)?.sequence ?? 0;
const folded: ReadonlySet<string> = new Set(routerEventTypes);
/** What rows can tell of a message. */
const asFolded = (message: Message) => ({ ...message, events: message.events.filter(({ type }) => folded.has(type)) });

const replayOf = async (material: Material, from: number, to = last()) => {
  const lagMessages = await material.longestLag({ from, to });
  const base = await material.stateUpTo(Math.max(0, from - 1 - lagMessages));
  return {
    base,
    found: await decidedAgain([], { messages: material.read({ from: base.snapshot.sequence + 1, to }), base, from, to, lagMessages }),
  };
};

describe('rows', () => {
  it('give the messages of the log, as far as the router folds them', async () => {
    const material = await openMaterial({ log: agedTo(last()), clickhouse, prefer: 'rows' });
    expect(await all(material.read({ from: 1, to: last() }))).toEqual(messages.map(asFolded));
    expect(await all(material.read({ from: 7, to: 9 }))).toEqual(messages.slice(6, 9).map(asFolded));
    expect(await all(material.read({ from: 9, to: 7 }))).toEqual([]);
  });

  it.each(['log', 'rows'] as const)('and the log together decide the same where the log has aged (%s first)', async (prefer) => {
    const seam = Math.floor(last() / 2);
    const material = await openMaterial({ log: agedTo(seam), clickhouse, prefer });
    expect(material.bounds).toMatchObject({ first: 1, last: last() });
    const decisions = decisionsIn(messages).slice(-60);
    const from = decisions[0]?.at ?? 0;
    const lag = Math.max(...decisions.map(({ at, data }) => at - data.stateSequence));
    const { base, found } = await replayOf(material, from);
    expect(base).toMatchObject({ from: 'clickhouse', missing: 0, snapshot: { sequence: from - 1 - lag } });
    expect(unequal(found)).toEqual([]);
    expect(found.length).toBe(60);
    const { found: all } = await replayOf(material, 1);
    expect(unequal(all)).toEqual([]);
    expect(all.length).toBe(decisionsIn(messages).length);
  });

  it.each([
    ['some of the period', () => Math.floor(last() / 2)],
    ['the whole period', () => last() + 1],
  ])('fill in for %s that leaves the log before it is read', async (_what, first) => {
    const material = await openMaterial({ log: agingTo(first()), clickhouse, prefer: 'log' });
    const { found } = await replayOf(material, 1);
    expect(found.length).toBe(decisionsIn(messages).length);
    expect(unequal(found)).toEqual([]);
    expect(await all(material.read({ from: 7, to: 9 }))).toEqual(messages.slice(6, 9).map(asFolded));
  });

  it('are found by time, also where the log has aged', async () => {
    const material = await openMaterial({ log: agedTo(400), clickhouse, prefer: 'log' });
    const storedAtMs = messages[49]?.storedAtMs ?? 0;
    expect(await material.sequenceAt(storedAtMs)).toBe(messages.find((message) => message.storedAtMs >= storedAtMs)?.sequence);
    expect(await material.sequenceAt(storedAtMs + 86_400_000)).toBeNull();
  });

  it('that are there twice are one', async () => {
    const another = await testFolder();
    await clickhouse.close();
    const twice = await openShaped(another.path);
    try {
      await project(twice, bus);
      await twice.command('INSERT INTO events SELECT * FROM events WHERE sequence BETWEEN 100 AND 200 SETTINGS insert_deduplicate = 0');
      const material = await openMaterial({ log: agedTo(last()), clickhouse: twice, prefer: 'rows' });
      expect(await all(material.read({ from: 90, to: 210 }))).toEqual(messages.slice(89, 210).map(asFolded));
    } finally {
      await twice.close();
      await another.remove();
      clickhouse = await openShaped(folder.path);
    }
  });
});

describe('the log stands alone', () => {
  it('where there is no ClickHouse: its fold begins where it does, and says what it lacks', async () => {
    const whole = await replayOf(await openMaterial({ log: bus.log, clickhouse: null, prefer: 'log' }), 1);
    expect(whole.base).toMatchObject({ from: 'log', missing: 0 });
    expect(unequal(whole.found)).toEqual([]);
    const aged = await replayOf(await openMaterial({ log: agedTo(300), clickhouse: null, prefer: 'log' }), 700);
    expect(aged.base).toMatchObject({ from: 'log', missing: 299, snapshot: { sequence: 299 } });
    expect(unequal(aged.found).length).toBeGreaterThan(10);
    for (const one of unequal(aged.found)) expect(one).toMatchObject({ reason: 'missing-event' });
  });

  it('and says so where messages leave it while it is read', async () => {
    const material = await openMaterial({ log: agingTo(300), clickhouse: null, prefer: 'log' });
    await expect(all(material.read({ from: 7, to: 400 }))).rejects.toThrow('messages 7 to 299 left the log while it was read');
    await expect(all(material.readBrief({ from: 7, to: 9 }))).rejects.toThrow('messages 7 to 9 left the log');
    expect(await all(material.read({ from: 300, to: 302 }))).toEqual(messages.slice(299, 302));
  });

  it('where ClickHouse holds another log', async () => {
    const other = { ...bus.log, bounds: async () => ({ ...(await bus.log.bounds()), createdAt: 'another' }) };
    expect(await openMaterial({ log: other, clickhouse, prefer: 'rows' })).toMatchObject({
      leftOut: expect.stringContaining('another log') as string,
    });
  });

  it('where the log lost messages that ClickHouse holds', async () => {
    const lost: EventLog = {
      ...bus.log,
      at: async (at) => {
        const entry = await bus.log.at(at);
        return entry === null ? null : { ...entry, storedAtMs: entry.storedAtMs + 1 };
      },
    };
    expect(await openMaterial({ log: lost, clickhouse, prefer: 'rows' })).toMatchObject({
      leftOut: expect.stringContaining('were lost') as string,
    });
  });
});

it('rows that began later than the log leave the state to the log, or say what it lacks', async () => {
  const another = await testFolder();
  await clickhouse.close();
  const late = await openShaped(another.path);
  try {
    const { createdAt } = await bus.log.bounds();
    await recordEpoch(late, { epoch: 1, streamCreatedAt: createdAt, firstSequence: 101, reason: 'first' });
    await project(late, bus);
    const fromLog = await openMaterial({ log: bus.log, clickhouse: late, prefer: 'rows' });
    expect(await fromLog.stateUpTo(300)).toMatchObject({ from: 'log', missing: 0, snapshot: { sequence: 0 } });
    expect(unequal((await replayOf(fromLog, 500)).found)).toEqual([]);
    const fromRows = await openMaterial({ log: agedTo(101), clickhouse: late, prefer: 'rows' });
    expect(await fromRows.stateUpTo(300)).toMatchObject({ from: 'clickhouse', missing: 100, snapshot: { sequence: 300 } });
  } finally {
    await late.close();
    await another.remove();
    clickhouse = await openShaped(folder.path);
  }
});

it('tells alike of what cannot be understood, but for what rows do not keep of it', async () => {
  const another = await testFolder();
  await clickhouse.close();
  const rows = await openShaped(another.path);
  try {
    const broken = createTestBus();
    const [decision] = decisionsIn(messages);
    const unknown = { ...decision, data: { ...decision?.data, features: { ...decision?.data.features, version: 9 } } };
    broken.inject(`switchyard.event.${decision?.tenant ?? ''}.route.decided`, Buffer.from(JSON.stringify(unknown)));
    broken.inject('switchyard.event.acme.reward.recorded', Buffer.from('not an event'));
    broken.inject('switchyard.event.garbage', Buffer.from('{}'));
    await project(rows, broken);
    const read = async (material: Material) => (await all(material.read({ from: 1, to: 3 }))).map(({ unreadable }) => unreadable);
    const fromLog = await read(await openMaterial({ log: broken.log, clickhouse: null, prefer: 'log' }));
    const fromRows = await read(await openMaterial({ log: broken.log, clickhouse: rows, prefer: 'rows' }));
    expect(fromLog).toMatchObject([
      { type: 'route.decided', tenant: decision?.tenant, featuresVersion: 9, reason: 'invalid-event' },
      { type: 'reward.recorded', tenant: 'acme', featuresVersion: null, reason: 'not-json' },
      { type: null, tenant: 'garbage', featuresVersion: null, reason: 'not-an-event' },
    ]);
    // The detail is in the words of whoever checked it.
    expect(fromRows).toEqual(fromLog.map((unreadable) => ({ ...unreadable, featuresVersion: null, detail: expect.any(String) as string })));
  } finally {
    await rows.close();
    await another.remove();
    clickhouse = await openShaped(folder.path);
  }
});

it('reads a long hole in one step', async () => {
  const another = await testFolder();
  await clickhouse.close();
  const sparse = await openShaped(another.path);
  try {
    await project(sparse, bus);
    await sparse.command('INSERT INTO events SELECT * REPLACE (sequence + 1000000000 AS sequence) FROM events');
    const far = {
      ...agedTo(1_000_000_601),
      bounds: async () => ({ ...(await bus.log.bounds()), first: sequence(2_000_000_000), last: sequence(2_000_000_000) }),
      at: async () => null,
    };
    const material = await openMaterial({ log: far, clickhouse: sparse, prefer: 'log' });
    const read = await all(material.read({ from: 1, to: 1_999_999_999 }));
    expect(read.length).toBe(2 * last());
  } finally {
    await sparse.close();
    await another.remove();
    clickhouse = await openShaped(folder.path);
  }
});

it('holds no more messages than states lie behind, and a bounded number of them where that is not known', async () => {
  const decisions = decisionsIn(messages);
  const lag = Math.max(...decisions.map(({ at, data }) => at - data.stateSequence));
  const material = await openMaterial({ log: bus.log, clickhouse, prefer: 'log' });
  expect(await material.longestLag({ from: 1, to: last() })).toBe(lag);
  expect(await material.longestLag({ from: 1, to: last() + 1 })).toBe(stateLagMessages);
  expect(await material.longestLag({ from: 2, to: 2 })).toBe(1);
  expect(await (await openMaterial({ log: bus.log, clickhouse: null, prefer: 'log' })).longestLag({ from: 1, to: 2 })).toBe(
    stateLagMessages,
  );
});
