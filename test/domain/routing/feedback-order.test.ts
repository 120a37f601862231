import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feedbackRejected, makeEvent, sequence, type EventOf, type FeedbackKind, type SwitchyardEvent } from '../../../src/events/index.ts';
import { decideFeedback, waitingFeedback } from '../../../src/domain/routing/ledger-questions.ts';
import { emptyLedger, evolveLedger } from '../../../src/domain/routing/ledger.ts';
import { judgeRemembered, type RecordedEvent } from '../../../src/domain/routing/remembered.ts';
import { completed, decided, feedback, rewarded, rewardOf, startMs, tenant, weights } from '../support/events.ts';

/**
 * A log, routers that follow it at their own pace, forget and restart, and a memory that lags behind: whatever the order of things, a request ends with the reward that
 * its judgements give when they are read in the order of the log, and its evidence sums to one trial with the parts that stand.
 */
const terms = { weights, requestWaitMs: 900_000, maxAgeMs: 90 * 86_400_000 };
const kinds: readonly FeedbackKind[] = ['measured', 'thumb', 'score', 'outcome'];
const requestIds = ['a', 'b', 'c'] as const;

type Given = { readonly request: string; readonly feedbackId: string; readonly kind: FeedbackKind; readonly scoreMicro: number };
type Message = { readonly id: string; readonly events: readonly SwitchyardEvent[] };
type Log = readonly Message[];

const recordedIn = (log: Log): readonly RecordedEvent[] =>
  log.flatMap(({ events }, i) => events.map((event) => ({ sequence: sequence(i + 1), event })));

/** A router: its ledger and how far it has followed the log. */
const routerFrom = (log: Log, position: number, limit: number, told: Log) => {
  const settled = new Set(told.flatMap(({ events }) => events.map(({ causationid }) => causationid)));
  const ledger = emptyLedger(limit, 100);
  for (const { event, sequence: at } of recordedIn(log.slice(0, position)))
    if (event.type === 'feedback.received' && !settled.has(event.id)) evolveLedger(ledger, event, at);
  return { ledger, position };
};
type Router = ReturnType<typeof routerFrom>;

const follow = (router: Router, log: Log, to: number) => {
  for (const { event, sequence: at } of recordedIn(log.slice(0, to)).filter((it) => it.sequence > router.position))
    evolveLedger(router.ledger, event, at);
  router.position = Math.max(router.position, to);
};

/** What a router would append about one event, by its ledger or by what the memory tells. */
const consequenceOf = (router: Router, event: EventOf<'feedback.received'>, told: Log): Message | null => {
  const own = decideFeedback(router.ledger, event, terms);
  const ofRequest = recordedIn(told).filter(({ event: { correlationid } }) => correlationid === event.correlationid);
  const verdict = own.kind === 'unknown' ? judgeRemembered(ofRequest, event, terms) : own;
  const { correlationid: request, id, data } = event;
  if (verdict.kind === 'revise')
    return { id: `reward:${request}:${verdict.data.revision}`, events: [rewarded(request, verdict.data, { cause: id })] };
  if (verdict.kind !== 'reject') return null;
  const context = { tenant, requestId: request, source: 'switchyard/test', timeMs: startMs, causationId: id };
  return { id: `rejected:${id}`, events: [makeEvent(feedbackRejected, context, { feedbackId: data.feedbackId, reason: verdict.reason })] };
};

const actionable = ({ ledger }: Router) => {
  const { ready, strays } = waitingFeedback(ledger, { beforeMs: Infinity, limit: 100, skip: () => false });
  return [...ready, ...strays];
};

const appendOnce = (log: Log, message: Message): Log => (log.some(({ id }) => id === message.id) ? log : [...log, message]);

type World = { readonly log: Log; readonly input: Log; readonly routers: readonly Router[]; readonly told: number };

/** One thing that may happen; `choice` says which, and how. */
const step = (world: World, choice: number, limit: number): World => {
  const { log, input, routers, told } = world;
  const which = Math.floor(choice / 8);
  const router = routers[which % routers.length]!;
  switch (choice % 8) {
    case 0:
    case 1: {
      const [next, ...rest] = input;
      return next === undefined ? world : { ...world, log: [...log, next], input: rest };
    }
    case 2:
    case 3:
      follow(router, log, Math.min(log.length, router.position + 1 + (which % 5)));
      return world;
    case 4:
      return { ...world, told: Math.min(log.length, told + 1 + (which % 7)) };
    case 5: {
      // A restart: from a cut that the memory has reached, and what waits since before it.
      const cut = told === 0 ? 0 : which % (told + 1);
      const made = routerFrom(log, cut, limit, log.slice(0, told));
      follow(made, log, Math.max(cut, router.position));
      return { ...world, routers: routers.map((it) => (it === router ? made : it)) };
    }
    default: {
      const waiting = actionable(router);
      const event = waiting[which % Math.max(1, waiting.length)];
      const message = event === undefined ? null : consequenceOf(router, event, log.slice(0, told));
      return message === null ? world : { ...world, log: appendOnce(log, message) };
    }
  }
};

/** Everybody reads on and does what is left to do, until nothing is. */
const settle = (world: World): Log => {
  let log = [...world.log, ...world.input];
  for (let before = -1; before < log.length;) {
    before = log.length;
    for (const router of world.routers) {
      follow(router, log, log.length);
      for (const event of actionable(router)) {
        const message = consequenceOf(router, event, log);
        if (message !== null) log = [...appendOnce(log, message)];
        follow(router, log, log.length);
      }
    }
  }
  return log;
};

/** The rule itself: the first of each id, then the last of the highest kind. */
const standingOf = (judgements: readonly EventOf<'feedback.received'>[]) => {
  const counted = judgements.filter(({ data }, i) => judgements.findIndex((other) => other.data.feedbackId === data.feedbackId) === i);
  const highest = kinds.findLast((kind) => counted.some(({ data }) => data.kind === kind));
  return { counted, last: counted.findLast(({ data }) => data.kind === highest) };
};

const anyGiven: fc.Arbitrary<readonly Given[]> = fc.array(
  fc.record({
    request: fc.constantFrom(...requestIds),
    feedbackId: fc.constantFrom('x', 'y', 'z', 'u', 'v'),
    kind: fc.constantFrom(...kinds),
    scoreMicro: fc.nat(1_000_000),
  }),
  { minLength: 1, maxLength: 10 },
);

/** Any order in which the messages can reach the log: a decision comes before the outcome that carries it out, feedback comes whenever it likes. */
const anyInput = anyGiven.chain((given) =>
  fc
    .shuffledSubarray([...given.keys(), ...requestIds.flatMap((id) => [`${id}:1`, `${id}:2`])], {
      minLength: given.length + 2 * requestIds.length,
    })
    .map((order) => {
      const begun = new Set<string>();
      return order.map((item): Message => {
        if (typeof item === 'number') {
          const { request, ...data } = given[item]!;
          return { id: `feedback:${item}`, events: [feedback(request, data, { id: `e${item}` })] };
        }
        const request = item[0]!;
        const isFirst = !begun.has(request);
        begun.add(request);
        return isFirst
          ? { id: `route:${request}`, events: [decided(request)] }
          : { id: `outcome:${request}`, events: [completed(request), rewarded(request, rewardOf('quick', 600_000, 1, 2, 3))] };
      });
    }),
);

describe('feedback in any order, repeated and cut', () => {
  it.each([
    ['one router that remembers all', 1, 100],
    ['two routers that remember all', 2, 100],
    ['two routers that remember one request', 2, 1],
  ])('ends in the reward that the order of the log gives: %s', (_what, routerCount, limit) => {
    fc.assert(
      fc.property(anyInput, fc.array(fc.nat(10_000), { maxLength: 120 }), (input, choices) => {
        const start: World = { log: [], input, told: 0, routers: Array.from({ length: routerCount }, () => routerFrom([], 0, limit, [])) };
        const events = recordedIn(settle(choices.reduce((world, choice) => step(world, choice, limit), start))).map(({ event }) => event);
        for (const request of requestIds) {
          const mine = events.filter(({ correlationid }) => correlationid === request);
          const received = mine.filter((event) => event.type === 'feedback.received');
          const rewards = mine.filter((event) => event.type === 'reward.recorded').map(({ data }) => data);
          const { counted, last } = standingOf(received);
          expect(rewards.map(({ revision }) => revision)).toEqual([0, ...counted.map((_, i) => i + 1)]);
          expect(rewards.at(-1)).toMatchObject({
            parts: { success: last?.data.scoreMicro ?? 600_000, streaming: 1, cache: 2, cost: 3 },
            ...(last === undefined ? {} : { judgedBy: last.data.kind }),
          });
          const sum = (field: 'trials' | 'success' | 'streaming' | 'cache' | 'cost') =>
            rewards.reduce((total, { evidence }) => total + evidence[field], 0);
          expect({ success: sum('success'), streaming: sum('streaming'), cache: sum('cache'), cost: sum('cost') }).toEqual(
            rewards.at(-1)!.parts,
          );
          expect(sum('trials')).toBe(1);
          // Whatever was received has one consequence.
          const causes = mine
            .filter(({ type }) => type === 'feedback.rejected' || type === 'reward.recorded')
            .flatMap(({ causationid }) => causationid ?? []);
          expect(causes.sort()).toEqual(received.map(({ id }) => id).sort());
        }
      }),
      { seed: 73, numRuns: 400 },
    );
  });
});
