import { beforeAll, describe, expect, it } from 'vitest';
import { named } from '../../../src/domain/routing/policy-version.ts';
import { inputOf } from '../../../src/domain/routing/recompute.ts';
import { decideRoute } from '../../../src/domain/routing/router.ts';
import { snapshotOf, type StateSnapshot } from '../../../src/domain/routing/snapshot.ts';
import { emptyRouterState, evolveRouter, foldEvent, ruleOf, type RouterState } from '../../../src/domain/routing/state.ts';
import type { SwitchyardEvent } from '../../../src/events/index.ts';
import { policySpecSchema, type PolicySpecInput } from '../../../src/events/schemas/policy.ts';
import { candidateReplay, type CandidateDecision, type CandidateOptions } from '../../../src/replay/again/candidate-replay.ts';
import { createKnowledge } from '../../../src/replay/again/knowledge.ts';
import type { Message } from '../../../src/replay/again/messages.ts';
import { all, decidedLog, decisionsIn, messagesIn, streamOf, wholePeriod, withEvents } from '../support/decided-log.ts';

let messages: readonly Message[];
beforeAll(async () => {
  messages = await messagesIn(await decidedLog(150));
});

const candidate: PolicySpecInput = { kind: 'beta-bernoulli-thompson', id: 'candidate' };

const optionsFor = (changes: Partial<CandidateOptions> & { readonly spec?: PolicySpecInput }): CandidateOptions => {
  const { spec = candidate, ...rest } = changes;
  const parsed = policySpecSchema.parse(spec);
  return { ...wholePeriod(messages), specFor: () => parsed, learn: 'logged', fromScratch: false, seed: '1', acceptance: null, ...rest };
};

const replay = async (changes: Partial<CandidateOptions> & { readonly spec?: PolicySpecInput } = {}) => {
  const { decisions, leftOut } = candidateReplay(optionsFor(changes));
  return { decisions: await all(decisions), leftOut: leftOut() };
};

/** A period from the middle on, with the state right before it. */
const secondHalf = () => {
  const from = Math.floor(messages.length / 2);
  const lag = Math.max(...decisionsIn(messages).map(({ at, data }) => at - data.stateSequence));
  const begin = from - 1 - lag;
  return {
    from,
    base: { snapshot: snapshotOf(stateAt(begin)), from: 'log', missing: 0 } as const,
    messages: streamOf(messages.slice(begin)),
    begin,
  };
};

const stateAt = (sequence: number): RouterState => messages.slice(0, sequence).reduce(evolveRouter, emptyRouterState());

/** What the candidate decides on a state, worked out anew. */
const expected = (decision: ReturnType<typeof decisionsIn>[number], state: RouterState) => {
  const { policy } = stateAt(decision.data.stateSequence);
  if (policy === null) throw new Error('expected a policy');
  const content = named({ spec: policySpecSchema.parse(candidate), weights: policy.event.weights, arms: policy.event.arms });
  const made = decideRoute(inputOf(decision.data, decision.tenant), { content, rule: ruleOf(content), canary: false, trial: null }, state);
  return made.kind === 'chosen' ? made.choice.candidates.map(({ arm, propensity }) => [arm, propensity]) : made.kind;
};

const asPairs = ({ arms, propensities }: CandidateDecision) => arms.map((arm, i) => [arm, propensities[i]]);

describe('a candidate that learns from every logged reward', () => {
  it('has the probabilities of the yard where it is the policy of the yard', async () => {
    const { decisions } = await replay({ spec: { kind: 'contextual-thompson' } });
    const byId = new Map(decisions.map((one) => [one.id, one]));
    const own = decisionsIn(messages).filter(({ data }) => data.policy.id === 'thompson');
    expect(own.length).toBeGreaterThan(50);
    for (const { id, data } of own)
      expect(asPairs(byId.get(id) as CandidateDecision)).toEqual(data.candidates.map(({ arm, propensity }) => [arm, propensity]));
  });

  it('decides each request of the period on the state that the yard had, in the order of the log', async () => {
    const { messages: stream, from, base } = secondHalf();
    const { decisions } = await replay({ messages: stream, from, base });
    const logged = decisionsIn(messages).filter(({ at }) => at >= from);
    expect(decisions.map(({ sequence, id }) => [sequence, id])).toEqual(logged.map(({ at, id }) => [at, id]));
    logged.forEach((decision, i) => {
      expect(asPairs(decisions[i] as CandidateDecision)).toEqual(expected(decision, stateAt(decision.data.stateSequence)));
    });
    expect(decisions.every(({ learns }) => learns)).toBe(true);
  });

  it('from scratch knows what came of the decisions of the period, late feedback for those before it left out', async () => {
    const { messages: stream, from, base } = secondHalf();
    const { decisions } = await replay({ messages: stream, from, base, fromScratch: true });
    expect(decisions.map(asPairs)).toEqual(naive({ from, counts: (_, at) => at >= from }));
    // A log from its beginning has nothing before it.
    expect((await replay({ fromScratch: true })).decisions).toEqual((await replay()).decisions);
  });
});

/** Evidence by a rule over decisions, folded anew for each decision of the period: slow and plain. */
const naive = ({ from, counts }: { readonly from: number; readonly counts: (id: string, at: number) => boolean }) => {
  const places = new Map(decisionsIn(messages).map(({ tenant, correlationid, id, at }) => [`${tenant}:${correlationid}`, { id, at }]));
  const mayCount = (event: SwitchyardEvent): boolean => {
    const place = places.get(`${event.tenant}:${event.correlationid}`);
    return place !== undefined && counts(place.id, place.at);
  };
  return decisionsIn(messages)
    .filter(({ at }) => at >= from)
    .map((decision) => {
      const own = emptyRouterState();
      for (const { sequence, events, storedAtMs } of messages)
        if (sequence <= decision.data.stateSequence)
          for (const event of events)
            if ((event.type === 'reward.recorded' || event.type === 'route.decided') && mayCount(event)) foldEvent(own, event, storedAtMs);
      return expected(decision, { ...stateAt(decision.data.stateSequence), evidence: own.evidence, chosen: own.chosen });
    });
};

describe('a candidate that learns from what its own draw agrees with', () => {
  it.each([true, false])(
    'knows what came of the accepted decisions alone, and of those before the period unless it begins from scratch (%s)',
    async (fromScratch) => {
      const { messages: stream, from, base } = secondHalf();
      const { decisions } = await replay({ messages: stream, from, base, learn: 'matched', fromScratch, acceptance: 0.4 });
      const learned = new Set(decisions.filter(({ learns }) => learns).map(({ id }) => id));
      expect(learned.size).toBeGreaterThan(10);
      expect(learned.size).toBeLessThan(decisions.length / 2);
      expect(decisions.map(asPairs)).toEqual(naive({ from, counts: (id, at) => (at < from ? !fromScratch : learned.has(id)) }));
    },
  );

  it('draws the same again with the same seed, and otherwise with another', async () => {
    const options = { learn: 'matched', fromScratch: true } as const;
    const once = await replay(options);
    expect(await replay(options)).toEqual(once);
    expect((await replay({ ...options, seed: '2' })).decisions.map(({ draw }) => draw)).not.toEqual(once.decisions.map(({ draw }) => draw));
    for (const { matched, arm, loggedArm, learns } of once.decisions) {
      expect(matched).toBe(arm === loggedArm);
      if (learns) expect(matched).toBe(true);
    }
  });

  it('of one tenant learns nothing from the requests of others, which it was not asked about', async () => {
    const { decisions } = await replay({ learn: 'matched', fromScratch: true, tenant: 'acme', acceptance: 0.4 });
    const learned = new Set(decisions.filter(({ learns }) => learns).map(({ id }) => id));
    expect(new Set(decisions.map(({ tenant }) => tenant))).toEqual(new Set(['acme']));
    const byId = new Map(decisions.map((one) => [one.id, asPairs(one)]));
    const wanted = naive({ from: 1, counts: (id) => learned.has(id) });
    decisionsIn(messages).forEach(({ id, tenant }, i) => {
      if (tenant === 'acme') expect(byId.get(id)).toEqual(wanted[i]);
    });
  });
});

describe('is told', () => {
  it('probability on arms that the log gave none', async () => {
    const [decision] = decisionsIn(messages).filter(({ data }) => data.candidates.length === 3);
    const at = decision?.at ?? 0;
    const [only] = decision?.data.candidates ?? [];
    const log = withEvents(messages, at, (events) =>
      events.map((event) =>
        event.type === 'route.decided' && only !== undefined
          ? { ...event, data: { ...event.data, candidates: [{ ...only, propensity: 1 }] } }
          : event,
      ),
    );
    const { decisions } = await replay({
      messages: streamOf(log),
      spec: { kind: 'static', shares: { a: 0.2, b: 0.3, c: 0.5 }, floor: 0, trial: { requests: 0, share: 0 } },
    });
    const one = decisions.find(({ sequence }) => sequence === at);
    const off = { a: 0.8, b: 0.7, c: 0.5 }[only?.arm ?? ''];
    expect(one?.unsupported).toBeCloseTo(off ?? 0, 12);
    // Elsewhere it is where the log had an arm left out, on trial for instance.
    const supported = new Set(
      decisionsIn(log)
        .filter(({ data }) => data.candidates.length === 3)
        .map(({ id }) => id),
    );
    for (const { id, unsupported } of decisions) expect(unsupported === 0).toBe(supported.has(id));
  });

  it('a request that the candidate does not decide, and why', async () => {
    const [first] = decisionsIn(messages);
    const requested = (at: number, requestedModel: string) => (log: readonly Message[]) =>
      withEvents(log, at, (events) =>
        events.map((event) => (event.type === 'route.decided' ? { ...event, data: { ...event.data, requestedModel } } : event)),
      );
    const withoutPolicy = messages.filter(({ events }) => !events.some(({ type }) => type.startsWith('policy.')));
    const unknown = requested(first?.at ?? 0, 'nobody')(messages);
    expect((await replay({ messages: streamOf(unknown) })).decisions[0]).toMatchObject({
      undecided: 'unknown-model',
      arms: [],
      arm: null,
      matched: false,
    });
    const none = await replay({ messages: streamOf(withoutPolicy) });
    expect(none.decisions.every(({ undecided }) => undecided === 'no-policy')).toBe(true);
    const far = await replay({ lagMessages: 1 });
    expect(far.decisions.some(({ undecided }) => undecided === 'out-of-reach')).toBe(true);
    expect(far.decisions.length).toBe(decisionsIn(messages).length);
  });

  it('a decision that cannot be understood', async () => {
    const [{ at } = { at: 0 }] = decisionsIn(messages);
    const unreadable = { type: 'route.decided', tenant: 'default', featuresVersion: 9, reason: 'invalid-event', detail: '' };
    const log = messages.map((message) => (message.sequence === at ? { ...message, events: [], unreadable } : message));
    expect((await replay({ messages: streamOf(log) })).leftOut).toEqual({ unreadable: 1, unassigned: 0 });
  });

  it('a policy that does not fit to the arms', async () => {
    const specFor = () => {
      throw new RangeError('no such arm');
    };
    await expect(replay({ specFor })).rejects.toThrow('no such arm');
  });
});

it('weighs the reward otherwise when told to', async () => {
  const weights = { success: 0, streaming: 0, cache: 0, cost: 1 };
  const share = (decisions: readonly CandidateDecision[]) =>
    decisions.slice(-40).reduce((sum, { arms, propensities }) => sum + (propensities[arms.indexOf('c')] ?? 0), 0) / 40;
  // The cheapest arm.
  expect(share((await replay({ weights, tenant: 'default' })).decisions)).toBeGreaterThan(
    share((await replay({ tenant: 'default' })).decisions),
  );
});

it('forgets the oldest decisions beyond its bound, and counts the revisions that it cannot assign', () => {
  const decisions = decisionsIn(messages).slice(0, 6);
  const knowledge = createKnowledge({ snapshot: null, from: 1, fromOthers: true, remembered: 5 });
  const fold = (events: readonly SwitchyardEvent[]) => {
    knowledge.fold({ sequence: 1, storedAtMs: 0, events, unreadable: null, lacksReward: false });
  };
  const revisionOf = (correlationid: string) => {
    const reward = messages
      .flatMap(({ events }) => events)
      .find((event) => event.type === 'reward.recorded' && event.correlationid === correlationid);
    return { ...reward, data: { ...reward?.data, revision: 1 } } as SwitchyardEvent;
  };
  const [oldest = '', next = ''] = decisions.map(({ correlationid }) => correlationid);
  fold(decisions.slice(0, 5));
  fold([revisionOf(oldest)]);
  expect(knowledge.unassigned()).toBe(0);
  fold(decisions.slice(5));
  fold([revisionOf(oldest), revisionOf(next)]);
  expect(knowledge.unassigned()).toBe(1);
});

it('begins with evidence as plain data, which it does not change', async () => {
  const { messages: stream, from, base } = secondHalf();
  const before = JSON.stringify(base.snapshot satisfies StateSnapshot);
  await replay({ messages: stream, from, base, learn: 'matched' });
  expect(JSON.stringify(base.snapshot)).toBe(before);
});
