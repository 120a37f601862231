import { beforeAll, describe, expect, it } from 'vitest';
import { lacksReward, type Message } from '../../../src/replay/again/messages.ts';
import { sequence, type DataOf, type SwitchyardEvent } from '../../../src/events/index.ts';
import { decidedAgain, decidedLog, decisionsIn, isDecision, messagesIn, unequal, withEvents } from '../support/decided-log.ts';

let messages: readonly Message[];
beforeAll(async () => {
  messages = await messagesIn(await decidedLog(150));
});

describe('a period of two processes, with a canary, a swap of the policy and late feedback', () => {
  it('comes out the same, every decision', async () => {
    const decisions = decisionsIn(messages);
    const found = await decidedAgain(messages);
    expect(unequal(found)).toEqual([]);
    expect(found.map(({ sequence: at }) => at)).toEqual(decisions.map(({ at }) => at));
    // What makes it hard is there: states behind their decisions, a canary, two policies, evidence that was revised, prices.
    expect(decisions.some(({ at, data }) => data.stateSequence < at - 1)).toBe(true);
    expect(new Set(decisions.map(({ data }) => `${data.policy.id} ${data.policy.canary}`)).size).toBe(3);
    expect(decisions.some(({ data }) => (data.pacing?.step ?? 0) > 1)).toBe(true);
  });
});

/** One decision changed, as it would stand in a log that somebody wrote to. */
const withDecision = (at: number, change: (data: DataOf<'route.decided'>) => DataOf<'route.decided'>): readonly Message[] =>
  withEvents(messages, at, (events) => events.map((event) => (isDecision(event) ? { ...event, data: change(event.data) } : event)));

const longestLag = () => Math.max(...decisionsIn(messages).map(({ at, data }) => at - data.stateSequence));

const middle = () => {
  const decisions = decisionsIn(messages).filter(({ data }) => data.candidates.length > 1);
  const decision = decisions[Math.floor(decisions.length / 2)];
  if (decision === undefined) throw new Error('expected decisions');
  return decision;
};

describe('is found, and told as what it is', () => {
  it('a draw that picks another arm', async () => {
    const { at, data } = middle();
    const last = data.candidates.at(-1)?.arm;
    const found = unequal(await decidedAgain(withDecision(at, (before) => ({ ...before, draw: last === before.arm ? 0 : 1 - 2 ** -53 }))));
    expect(found).toMatchObject([
      { sequence: at, kind: 'different', reason: 'tampered', sentence: expect.stringContaining('the draw') as string },
    ]);
  });

  it.each([
    ['of the chosen arm', (data: DataOf<'route.decided'>) => ({ ...data, propensity: data.propensity * (1 - 1e-6) })],
    [
      'of a candidate, by a ten-millionth',
      (data: DataOf<'route.decided'>) => ({
        ...data,
        candidates: data.candidates.map((one, i) => (i === 0 ? { ...one, propensity: one.propensity + 1e-7 } : one)),
      }),
    ],
  ])('a propensity: that %s', async (_what, change) => {
    const { at } = middle();
    const found = unequal(await decidedAgain(withDecision(at, change)));
    expect(found).toMatchObject([{ sequence: at, kind: 'different', reason: 'tampered' }]);
  });

  it('an expectation, which contradicts nothing in the record: the code or the figure', async () => {
    const { at } = middle();
    const change = (data: DataOf<'route.decided'>) => ({
      ...data,
      candidates: data.candidates.map((one, i) => (i === 0 ? { ...one, expectedLatencyMs: (one.expectedLatencyMs ?? 1) * 1.001 } : one)),
    });
    const found = unequal(await decidedAgain(withDecision(at, change)));
    expect(found).toMatchObject([
      { sequence: at, reason: 'code', differences: [{ what: expect.stringMatching(/^expected latency of /) as string }] },
    ]);
  });

  it('who decided: the canary in place of the policy in force', async () => {
    const decision = decisionsIn(messages).find(({ data }) => data.policy.trial !== null && !data.policy.canary);
    const at = decision?.at ?? 0;
    const found = unequal(await decidedAgain(withDecision(at, (data) => ({ ...data, policy: { ...data.policy, canary: true } }))));
    expect(found).toMatchObject([{ sequence: at, reason: 'tampered', sentence: expect.stringContaining('the canary') as string }]);
  });

  it('a policy that is not the one that decided', async () => {
    const at = messages.find(({ events }) => events.some(({ type }) => type === 'policy.activated'))?.sequence ?? 0;
    const renamed = withEvents(messages, at, (events) =>
      events.map((event) =>
        event.type === 'policy.activated'
          ? { ...event, data: { ...event.data, policy: { ...event.data.policy, version: 'f00d' } } }
          : event,
      ),
    );
    const changed = withEvents(messages, at, (events) =>
      events.map((event) =>
        event.type === 'policy.activated' ? { ...event, data: { ...event.data, spec: { ...event.data.spec, floor: 0.02 } } } : event,
      ),
    );
    for (const log of [renamed, changed]) {
      const found = unequal(await decidedAgain(log));
      expect(found.length).toBeGreaterThan(50);
      expect(new Set(found.map((one) => one.kind === 'different' && one.reason))).toEqual(new Set(['policy-version']));
    }
  });

  const rewarded = () => {
    const named = new Set<number>(decisionsIn(messages).map(({ data }) => data.stateSequence));
    const message = messages.find(
      ({ sequence: at, events }) => at > 60 && named.has(at) && events.some(({ type }) => type === 'response.completed'),
    );
    if (message === undefined) throw new Error('expected a reward');
    return message;
  };

  it('a reward that was taken out of its message', async () => {
    const { sequence: at } = rewarded();
    const log = withEvents(messages, at, (events) => events.filter(({ type }) => type !== 'reward.recorded')).map((message) => ({
      ...message,
      lacksReward: lacksReward(message.events),
    }));
    const found = unequal(await decidedAgain(log));
    expect(found.length).toBeGreaterThan(10);
    expect(found[0]?.sequence).toBeGreaterThan(at);
    for (const one of found)
      expect(one).toMatchObject({ reason: 'missing-event', sentence: expect.stringContaining(`the first at ${at}`) as string });
  });

  it('a message that is missing, also where a decision names it', async () => {
    const { sequence: at } = rewarded();
    const log = messages.filter((message) => message.sequence !== at);
    const found = await decidedAgain(log);
    expect(found.length).toBe(decisionsIn(log).length);
    for (const one of unequal(found)) expect(one).toMatchObject({ kind: 'different', reason: 'missing-event' });
    expect(unequal(found).length).toBeGreaterThan(10);
  });

  it('a message that cannot be understood any more', async () => {
    const { sequence: at } = rewarded();
    const unreadable = {
      type: 'response.completed',
      tenant: 'default',
      featuresVersion: null,
      reason: 'unknown-version',
      detail: 'version 9',
    };
    const log = messages.map((message) => (message.sequence === at ? { ...message, events: [], unreadable } : message));
    const found = unequal(await decidedAgain(log));
    expect(found[0]).toMatchObject({ reason: 'missing-event', sentence: expect.stringContaining('cannot be understood') as string });
  });

  it.each([
    ['features of a version that nobody knows', 9, 'feature-version'],
    ['anything else that nobody knows', null, 'unreadable'],
  ])('a decision with %s', async (_what, featuresVersion, reason) => {
    const { at } = middle();
    const unreadable = { type: 'route.decided', tenant: 'default', featuresVersion, reason: 'invalid-event', detail: 'data.features' };
    const log = messages.map((message) => (message.sequence === at ? { ...message, events: [], unreadable } : message));
    const found = unequal(await decidedAgain(log)).filter(({ kind }) => kind === 'unchecked');
    expect(found).toMatchObject([{ sequence: at, kind: 'unchecked', reason, tenant: 'default', id: null }]);
    expect(unequal(await decidedAgain(log, { tenant: 'acme' })).filter(({ kind }) => kind === 'unchecked')).toEqual([]);
  });

  it.each([0, 1, 1e6])('a state that was not there yet: %i after the decision', async (ahead) => {
    const { at } = middle();
    const found = unequal(await decidedAgain(withDecision(at, (data) => ({ ...data, stateSequence: sequence(at + ahead) }))));
    expect(found).toMatchObject([
      { sequence: at, kind: 'unchecked', reason: 'tampered', sentence: expect.stringContaining(`stood at ${at}`) as string },
    ]);
  });

  it('a state that lies further back than is kept', async () => {
    const lagMessages = longestLag();
    const at = decisionsIn(messages).find((decision) => decision.at > lagMessages + 1)?.at ?? 0;
    const log = withDecision(at, (data) => ({ ...data, stateSequence: sequence(at - lagMessages - 1) }));
    const found = unequal(await decidedAgain(log, { lagMessages }));
    expect(found).toMatchObject([{ sequence: at, kind: 'unchecked', reason: 'out-of-reach' }]);
  });
});

describe('makes no difference', () => {
  it('a message that is handed in twice', async () => {
    const twice = messages.flatMap((message) => [message, message]);
    const found = await decidedAgain(twice);
    expect(unequal(found)).toEqual([]);
    expect(found.length).toBe(decisionsIn(messages).length);
  });

  it('where the fold begins and how far it lies behind', async () => {
    for (const lagMessages of [longestLag(), longestLag() + 1, 10_000])
      expect(unequal(await decidedAgain(messages, { lagMessages }))).toEqual([]);
  });
});

it('looks at the decisions of the period and the tenant alone', async () => {
  const decisions = decisionsIn(messages).filter(({ at, tenant }) => at >= 100 && at <= 300 && tenant === 'acme');
  const found = await decidedAgain(messages, { from: 100, to: 300, tenant: 'acme' });
  expect(found.map(({ id }) => id)).toEqual(decisions.map(({ id }) => id));
  expect(unequal(found)).toEqual([]);
});

it('knows an answer without its reward', () => {
  const types = (...events: readonly (readonly [type: string, arm: string | null])[]) =>
    events.map(([type, arm]) => ({ type, data: { arm } }) as unknown as SwitchyardEvent);
  expect(lacksReward(types(['response.completed', 'a'], ['cache.stored', 'a']))).toBe(true);
  expect(lacksReward(types(['response.failed', 'a']))).toBe(true);
  expect(lacksReward(types(['response.failed', null]))).toBe(false);
  expect(lacksReward(types(['response.completed', 'a'], ['reward.recorded', 'a']))).toBe(false);
  expect(lacksReward(types(['route.decided', 'a']))).toBe(false);
});
