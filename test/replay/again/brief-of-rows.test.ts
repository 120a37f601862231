import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { routerEventTypes } from '../../../src/domain/routing/state.ts';
import type { EventOf } from '../../../src/events/index.ts';
import { policySpecSchema } from '../../../src/events/schemas/policy.ts';
import type { Clickhouse } from '../../../src/projections/clickhouse.ts';
import type { BriefMessage } from '../../../src/replay/again/brief.ts';
import { briefOfRows } from '../../../src/replay/again/brief-of-rows.ts';
import { candidateReplay, type CandidateDecision } from '../../../src/replay/again/candidate-replay.ts';
import type { Message } from '../../../src/replay/again/messages.ts';
import { messagesOfRows } from '../../../src/replay/again/messages-of-rows.ts';
import { createTestBus } from '../../actors/support/actors.ts';
import { openShaped, project, testFolder } from '../../support/projection.ts';
import { briefForm } from '../support/brief-form.ts';
import { all, decidedLog, decisionsIn, messagesIn, streamOf, wholePeriod } from '../support/decided-log.ts';

/** A log, its rows in the real engine, and rows of messages that were put together by hand behind them. */
let folder: Awaited<ReturnType<typeof testFolder>>;
let clickhouse: Clickhouse;
let messages: readonly Message[];
beforeAll(async () => {
  const bus = await decidedLog(150);
  messages = await messagesIn(bus);
  folder = await testFolder();
  clickhouse = await openShaped(folder.path);
  await project(clickhouse, bus);
});
afterAll(async () => {
  await clickhouse.close();
  await folder.remove();
});

const whole = [{ epoch: 1, from: 1, to: null }];
const last = () => messages.at(-1)?.sequence ?? 0;
const briefly = (from: number, to: number): Promise<readonly BriefMessage[]> => all(briefOfRows(clickhouse, whole, { from, to }));

const folded: ReadonlySet<string> = new Set(routerEventTypes);
const asBrief = (message: Message): BriefMessage => ({
  ...message,
  events: message.events.filter(({ type }) => folded.has(type)).map(briefForm),
});

describe('columns', () => {
  it('give the messages of the log, as far as another policy looks at them', async () => {
    const expected = messages.map(asBrief);
    expect(await briefly(1, last())).toEqual(expected);
    expect(await briefly(7, 9)).toEqual(expected.slice(6, 9));
    expect(await briefly(9, 7)).toEqual([]);
    const types = new Set(expected.flatMap(({ events }) => events.map(({ type }) => type)));
    expect(types).toEqual(folded);
  });

  it('let another policy decide to the last bit as the log does', async () => {
    const read = async (stream: AsyncIterable<BriefMessage>, learn: 'logged' | 'matched'): Promise<readonly CandidateDecision[]> =>
      all(
        candidateReplay({
          ...wholePeriod(messages),
          messages: stream,
          specFor: () => policySpecSchema.parse({ kind: 'contextual-thompson' }),
          learn,
          fromScratch: true,
          seed: '1',
          acceptance: null,
        }).decisions,
      );
    for (const learn of ['logged', 'matched'] as const) {
      const decided = await read(briefOfRows(clickhouse, whole, { from: 1, to: last() }), learn);
      expect(decided.length).toBe(decisionsIn(messages).length);
      expect(decided).toEqual(await read(streamOf(messages), learn));
    }
  });

  it('hold the weights of all decisions as few objects', async () => {
    const weights = (await briefly(1, last())).flatMap(({ events }) =>
      events.flatMap((event) => (event.type === 'route.decided' ? [event.data.weights] : [])),
    );
    expect(new Set(weights).size).toBe(1);
  });
});

/** Of messages that no yard of today writes. */
describe('what columns do not tell', () => {
  const fixture = (name: string): object =>
    JSON.parse(readFileSync(path.join(import.meta.dirname, '../../events/fixtures', `${name}.json`), 'utf8')) as object;

  const readBoth = async (bus: Bus, rows: string | null = null) => {
    const another = await testFolder();
    await clickhouse.close();
    const projected = await openShaped(another.path);
    try {
      await project(projected, bus);
      if (rows !== null) await projected.command(rows);
      const range = { from: 1, to: (await bus.log.bounds()).last + 1 };
      return {
        brief: await all(briefOfRows(projected, whole, range)),
        text: await all(messagesOfRows(projected, whole, range)),
      };
    } finally {
      await projected.close();
      await another.remove();
      clickhouse = await openShaped(folder.path);
    }
  };

  const inject = (bus: ReturnType<typeof createTestBus>, event: object) => {
    bus.inject(`switchyard.event.acme.${(event as EventOf<'route.decided'>).type}`, Buffer.from(JSON.stringify(event)));
  };

  it('is read from the event itself: those of version 1, and decisions that name no moment', async () => {
    const bus = createTestBus();
    const [decision] = decisionsIn(messages);
    for (const name of ['route.decided.v1', 'reward.recorded.v1', 'reward.recorded.v2', 'policy.activated.v1']) inject(bus, fixture(name));
    inject(bus, { ...decision, at: undefined, data: { ...decision?.data, decidedAt: null } });
    const { brief, text } = await readBoth(bus);
    expect(brief).toEqual(text.map((message, i) => (i === 0 || i === 4 ? message : asBrief(message))));
    expect(brief.map(({ events }) => events.length)).toEqual([1, 1, 1, 1, 1]);
    expect(brief[4]?.events[0]?.data).toMatchObject({ decidedAt: null });
  });

  it('is told: what cannot be understood, and answers without a reward', async () => {
    const bus = createTestBus();
    const [decision] = decisionsIn(messages);
    inject(bus, { ...decision, data: { ...decision?.data, features: { version: 9 } } });
    inject(bus, fixture('response.completed.v1'));
    inject(bus, fixture('response.failed.v1'));
    const later =
      "INSERT INTO events SELECT * REPLACE (sequence + 3 AS sequence, 9 AS schema_version, 'route.decided' AS type) FROM events WHERE events.sequence = 1";
    const { brief, text } = await readBoth(bus, later);
    expect(brief).toEqual(text);
    expect(brief.map(({ unreadable, lacksReward }) => [unreadable?.reason ?? null, lacksReward])).toEqual([
      ['invalid-event', false],
      [null, true],
      [null, true],
      ['unknown-version', false],
    ]);
  });
});

it('rows that are there twice are one event, and a long hole is one step', async () => {
  const expected = messages.map(asBrief);
  await clickhouse.command('INSERT INTO events SELECT * FROM events WHERE sequence BETWEEN 100 AND 200 SETTINGS insert_deduplicate = 0');
  expect(await briefly(90, 210)).toEqual(expected.slice(89, 210));
  await clickhouse.command('INSERT INTO events SELECT * REPLACE (sequence + 1000000000 AS sequence) FROM events');
  expect((await briefly(1, 2_000_000_000)).length).toBe(2 * last());
});

it('candidates without a probability each are refused: another policy would be given others', async () => {
  const [decision] = decisionsIn(messages);
  await clickhouse.command(
    `INSERT INTO events SELECT * REPLACE (3000000000 AS sequence, [0.5] AS candidate_propensities) FROM events WHERE events.sequence = ${decision?.at ?? 0} LIMIT 1`,
  );
  await expect(briefly(3_000_000_000, 3_000_000_000)).rejects.toThrow(
    /decision at sequence 3000000000: expected a propensity for each candidate, got 3 candidates and 1 propensities/,
  );
});
