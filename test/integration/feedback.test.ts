import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import type { DataOf, SwitchyardEvent } from '../../src/events/index.ts';
import { drained, openTestBus, readLog } from '../support/audit.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** Feedback at any time, in a real yard whose router remembers three requests: early, late, for nobody, and across the death of the worker. */
const requestWaitSeconds = 45;
/** Feedback of a request that was not known at first is looked at again after that wait. */
const patience = { withinMs: 2 * requestWaitSeconds * 1_000 };
let yard: TestYard;
let bus: Bus;
beforeAll(async () => {
  yard = await startTestYard({ ledger: { requests: 3, rebuildEntries: 5 }, feedback: { requestWaitSeconds } });
  bus = await openTestBus(yard);
});
afterAll(async () => {
  await bus.close();
  await yard.close();
});

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${yard.httpUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const ask = async (id: string): Promise<void> => {
  const response = await post('/v1/chat/completions', { messages: [{ role: 'user', content: `question ${id}` }] }, { 'x-request-id': id });
  expect(response.status).toBe(200);
  await response.text();
};

const judge = async (request_id: string, judgement: object): Promise<void> => {
  const response = await post('/v1/feedback', { request_id, ...judgement });
  expect(response.status).toBe(202);
};

type Reward = DataOf<'reward.recorded'>;
const rewardsOf = (events: readonly SwitchyardEvent[], id: string): readonly Reward[] =>
  events.flatMap((event) => (event.type === 'reward.recorded' && event.correlationid === id ? [event.data] : []));

/** Waits for so many revisions of a request. */
const revised = (id: string, count: number): Promise<readonly Reward[]> =>
  eventually(async () => {
    const rewards = rewardsOf(await readLog(bus), id);
    return rewards.length > count && rewards;
  }, patience);

/** Ids of the judgements in a log, and of those among them that had a consequence: once for each. */
const received = (log: readonly SwitchyardEvent[]) => log.flatMap(({ type, id }) => (type === 'feedback.received' ? [id] : [])).sort();
const settled = (log: readonly SwitchyardEvent[]) =>
  log
    .flatMap((event) =>
      event.type === 'feedback.rejected' || (event.type === 'reward.recorded' && event.data.revision > 0) ? [event.causationid] : [],
    )
    .sort();

const letters = async () => (await bus.dead.list({ limit: 100 })).filter(({ reason }) => reason.startsWith('feedback-'));

it('is joined to the request that it is about, once, or becomes a dead letter', { timeout: 400_000 }, async () => {
  await judge('nobody', { thumb: 'up' });
  await judge('early', { id: 'thumb', thumb: 'down' });
  await ask('early');
  for (let n = 0; n < 8; n++) await ask(`r-${n}`);

  // Long forgotten by the router; the judge of the simulated model has spoken at once.
  await revised('r-0', 1);
  await judge('r-0', { id: 'a', outcome: 'failure' });
  await judge('r-0', { id: 'b', score: 1 });
  const late = await revised('r-0', 3);
  expect(late.slice(1)).toMatchObject([
    { revision: 1, judgedBy: 'measured', feedbackId: '_measured' },
    { revision: 2, judgedBy: 'outcome', feedbackId: 'a', parts: { success: 0 } },
    { revision: 3, judgedBy: 'outcome', feedbackId: 'b', parts: { success: 0 }, evidence: { success: 0 } },
  ]);

  // The person came first, and is not overruled by the judge that came with the answer.
  const early = await revised('early', 2);
  expect(early.at(-1)).toMatchObject({ judgedBy: 'thumb', parts: { success: 0 } });

  // What waits is found again by a worker that starts, although it reads only the end of the log.
  await judge('waits', { id: 'thumb', thumb: 'down' });
  for (let n = 8; n < 14; n++) await ask(`r-${n}`);
  await drained(yard, bus);
  const pid = yard.pid('worker');
  yard.kill9('worker');
  await eventually(() => yard.pid('worker') !== pid);
  await yard.ready();
  await ask('waits');
  expect((await revised('waits', 2)).at(-1)).toMatchObject({ judgedBy: 'thumb', parts: { success: 0 } });

  const [letter, ...more] = await eventually(async () => {
    const found = await letters();
    return found.length > 0 && found;
  }, patience);
  expect(more).toEqual([]);
  expect(letter).toMatchObject({ reason: 'feedback-unknown-request' });

  // Every judgement has one consequence, and the evidence of each request is one trial with the parts that stand. Some consequences may be on their way: the dead letter is
  // put before the rejection is logged, and the last answers were judged a moment ago.
  const events = await eventually(async () => {
    const log = await readLog(bus);
    return received(log).length <= settled(log).length && log;
  });
  expect(settled(events)).toEqual(received(events));
  for (const id of new Set(events.filter(({ type }) => type === 'reward.recorded').map(({ correlationid }) => correlationid))) {
    const rewards = rewardsOf(events, id);
    const counts = rewards[0]?.evidence.trials === 1;
    expect(rewards.reduce((sum, { evidence }) => sum + evidence.success, 0)).toBe(counts ? rewards.at(-1)?.parts.success : 0);
    expect(rewards.reduce((sum, { evidence }) => sum + evidence.trials, 0)).toBe(counts ? 1 : 0);
  }
});
