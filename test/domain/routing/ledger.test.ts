import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feedbackRejected, makeEvent, sequence, type SwitchyardEvent } from '../../../src/events/index.ts';
import { decideFeedback, findRequest, openDecisions, waitingFeedback } from '../../../src/domain/routing/ledger-questions.ts';
import { emptyLedger, evolveLedger, revisionLimit, type Ledger } from '../../../src/domain/routing/ledger.ts';
import type { Feedback } from '../../../src/domain/routing/pending-feedback.ts';
import { completed, decided, evidenceOf, failed, feedback, hit, rewarded, rewardOf, startMs, tenant, weights } from '../support/events.ts';

const dayMs = 86_400_000;
const terms = { weights, requestWaitMs: 900_000, maxAgeMs: 90 * dayMs };
const nothing = { success: 0, streaming: 0, cache: 0, cost: 0 };
const fold = (events: readonly SwitchyardEvent[], limit = 100): Ledger =>
  events.reduce((ledger, event, i) => evolveLedger(ledger, event, sequence(i + 1)), emptyLedger(limit));
const given = (...events: readonly SwitchyardEvent[]) => fold(events);
const answered = (id: string) => [decided(id), completed(id), rewarded(id, rewardOf('quick', 1_000_000))];
const thumb = feedback('r', { feedbackId: 'f1', scoreMicro: 250_000 }, { id: 'e1' });
const second = feedback('r', { feedbackId: 'f2', scoreMicro: 0 }, { id: 'e2' });
/** The log goes on with what the ledger says must follow. */
const settled = (ledger: Ledger, event: Feedback, at = 50): Ledger => {
  const verdict = decideFeedback(ledger, event, terms);
  if (verdict.kind === 'revise') return evolveLedger(ledger, rewarded('r', verdict.data, { cause: event.id }), sequence(at));
  if (verdict.kind !== 'reject') throw new Error(`expected a consequence, got ${verdict.kind}`);
  const context = { tenant, requestId: 'r', source: 'switchyard/test', timeMs: startMs, causationId: event.id };
  const rejected = makeEvent(feedbackRejected, context, { feedbackId: event.data.feedbackId, reason: verdict.reason });
  return evolveLedger(ledger, rejected, sequence(at));
};

describe('feedback', () => {
  it('given a reward, when feedback is judged, then it becomes the next revision with the difference as evidence', () => {
    expect(decideFeedback(given(...answered('r'), thumb), thumb, terms)).toMatchObject({
      kind: 'revise',
      data: {
        arm: 'quick',
        model: 'small',
        revision: 1,
        cause: 'feedback',
        feedbackId: 'f1',
        judgedBy: 'thumb',
        parts: { success: 250_000, streaming: 0, cache: 0, cost: 0 },
        weights,
        rewardMicro: 100_000,
        evidence: { trials: 0, success: -750_000, streaming: 0, cache: 0, cost: 0 },
      },
    });
  });

  it('given no reward yet, then it waits', () => {
    expect(decideFeedback(given(decided('r'), thumb), thumb, terms)).toEqual({ kind: 'wait' });
  });

  it('given no such request, then it is unknown, and becomes a revision when the request comes after all', () => {
    const ledger = given(thumb);
    expect(decideFeedback(ledger, thumb, terms)).toEqual({ kind: 'unknown' });
    answered('r').forEach((event, i) => evolveLedger(ledger, event, sequence(i + 2)));
    expect(decideFeedback(ledger, thumb, terms)).toMatchObject({ kind: 'revise' });
  });

  it('given its revision, then it is done with', () => {
    const ledger = settled(given(...answered('r'), thumb), thumb);
    expect(decideFeedback(ledger, thumb, terms)).toEqual({ kind: 'settled' });
    expect(waitingFeedback(ledger, { beforeMs: Infinity, limit: 10, skip: () => false })).toEqual({
      ready: [],
      strays: [],
      crowdedOut: [],
    });
    // The same event once more.
    evolveLedger(ledger, thumb, sequence(51));
    expect(decideFeedback(ledger, thumb, terms)).toEqual({ kind: 'settled' });
  });

  it('given the same id again, before or after its revision, then it counts once', () => {
    const again = feedback('r', { feedbackId: 'f1', scoreMicro: 900_000 }, { id: 'e9' });
    const early = given(...answered('r'), thumb, again);
    expect(decideFeedback(early, again, terms)).toEqual({ kind: 'wait' });
    const late = evolveLedger(settled(given(...answered('r'), thumb), thumb), again, sequence(60));
    for (const ledger of [settled(early, thumb), late]) {
      expect(decideFeedback(ledger, again, terms)).toEqual({ kind: 'reject', reason: 'repeated' });
      expect(decideFeedback(settled(ledger, again, 61), again, terms)).toEqual({ kind: 'settled' });
      expect(ledger.requests.get('acme:r')?.reward).toMatchObject({ revision: 1, parts: { success: 250_000 } });
    }
  });

  it('given a revision whose feedback lies before the log that was read, then its id has counted all the same', () => {
    const verdict = decideFeedback(given(...answered('r'), thumb), thumb, terms);
    if (verdict.kind !== 'revise') throw new Error(verdict.kind);
    const again = feedback('r', { feedbackId: 'f1', scoreMicro: 900_000 }, { id: 'e9' });
    const ledger = given(...answered('r'), rewarded('r', verdict.data, { cause: 'e1' }), again);
    expect(decideFeedback(ledger, again, terms)).toEqual({ kind: 'reject', reason: 'repeated' });
  });

  it('given two, then they are taken in the order of the log and the later score stands', () => {
    const ledger = given(...answered('r'), thumb, second);
    expect(decideFeedback(ledger, second, terms)).toEqual({ kind: 'wait' });
    expect(decideFeedback(ledger, thumb, terms)).toMatchObject({ kind: 'revise', data: { revision: 1 } });
    settled(ledger, thumb);
    expect(decideFeedback(ledger, second, terms)).toMatchObject({
      kind: 'revise',
      data: { revision: 2, parts: { success: 0 }, evidence: { success: -250_000 } },
    });
  });

  it('given an answer from the cache or an interruption, then the parts change and no arm learns', () => {
    const uncounted = { ...rewardOf('quick', 1_000_000), evidence: { ...evidenceOf(nothing), trials: 0 as const, measured: 0 } };
    for (const begin of [hit('r'), decided('r')])
      expect(decideFeedback(given(begin, completed('r'), rewarded('r', uncounted), thumb), thumb, terms)).toMatchObject({
        kind: 'revise',
        data: { parts: { success: 250_000 }, evidence: { trials: 0, success: 0 } },
      });
  });

  it('given a judgement that is outranked by what stands, then it is a revision that changes nothing', () => {
    const outcome = feedback('r', { feedbackId: 'o', kind: 'outcome', scoreMicro: 0 }, { id: 'e5' });
    const measured = feedback('r', { feedbackId: '_measured', kind: 'measured', scoreMicro: 900_000 }, { id: 'e6' });
    const ledger = settled(given(...answered('r'), outcome, measured), outcome);
    expect(decideFeedback(ledger, measured, terms)).toMatchObject({
      kind: 'revise',
      data: { revision: 2, feedbackId: '_measured', judgedBy: 'outcome', parts: { success: 0 }, evidence: { trials: 0, success: 0 } },
    });
  });

  it('given as many revisions as a request can have, then the next is rejected', () => {
    const many = Array.from({ length: revisionLimit + 1 }, (_, i) => feedback('r', { feedbackId: `f${i}` }, { id: `e${i}` }));
    const ledger = given(...answered('r'), ...many);
    for (const event of many.slice(0, revisionLimit)) settled(ledger, event);
    expect(ledger.requests.get('acme:r')?.reward?.revision).toBe(revisionLimit);
    expect(decideFeedback(ledger, many.at(-1)!, terms)).toEqual({ kind: 'reject', reason: 'too-many' });
  });

  it.each([
    ['long before the request', -900_001, 'unknown-request'],
    ['long after the request', 90 * dayMs + 1, 'too-late'],
  ])('given one that comes %s, then it is rejected', (_when, atMs, reason) => {
    const stale = feedback('r', {}, { id: 'stale', atMs });
    expect(decideFeedback(given(...answered('r'), stale), stale, terms)).toEqual({ kind: 'reject', reason });
    const timely = feedback('r', {}, { id: 'timely', atMs: atMs - Math.sign(atMs) });
    expect(decideFeedback(given(...answered('r'), timely), timely, terms)).toMatchObject({ kind: 'revise' });
  });

  it('given more than there is room for, then the oldest is crowded out; beyond twice as much it is dropped and counted', () => {
    const strays = Array.from({ length: 9 }, (_, i) => feedback(`s${i}`, {}, { id: `e${i}` }));
    const ledger = strays.slice(0, 5).reduce((folded, event, i) => evolveLedger(folded, event, sequence(i + 1)), emptyLedger(100, 4));
    expect(waitingFeedback(ledger, { beforeMs: 0, limit: 10, skip: () => false })).toEqual({
      ready: [],
      strays: [],
      crowdedOut: [strays[0]],
    });
    for (const event of strays.slice(5)) evolveLedger(ledger, event, sequence(10));
    expect([...ledger.feedback.byId.keys()]).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8']);
    expect(ledger.feedback.dropped).toBe(1);
  });

  it('given an end without a reward, then there will never be one', () => {
    const unrouted = failed('r', { code: 'no_candidate', arm: null, model: null });
    expect(decideFeedback(given(unrouted, thumb), thumb, terms)).toEqual({ kind: 'reject', reason: 'unrewarded' });
  });

  it('asked what can be done now, then the next of each request that has ended and of each that is not known, the oldest first', () => {
    const early = feedback('r', { feedbackId: 'a' }, { id: 'e1' });
    const stray = feedback('nobody', { feedbackId: 'b' }, { id: 'e2', atMs: 1 });
    const behind = feedback('r', { feedbackId: 'c' }, { id: 'e3', atMs: 2 });
    const late = feedback('s', { feedbackId: 'd' }, { id: 'e4', atMs: 500 });
    const open = feedback('open', { feedbackId: 'e' }, { id: 'e5' });
    const unrewarded = feedback('unrouted', { feedbackId: 'g' }, { id: 'e6', atMs: 600 });
    const ledger = given(
      ...answered('r'),
      ...answered('s'),
      decided('open'),
      failed('unrouted', { code: 'no_candidate', arm: null, model: null }),
      ...[early, stray, behind, late, open, unrewarded],
    );
    const waiting = (beforeMs = Infinity, limit = 10, skipped = '') => {
      const { ready, strays } = waitingFeedback(ledger, { beforeMs, limit, skip: (id) => id === skipped });
      return [ready, strays].map((list) => list.map(({ id }) => id));
    };
    expect(waiting()).toEqual([['e1', 'e4', 'e6'], ['e2']]);
    expect(waiting(Infinity, 10, 'e2')).toEqual([['e1', 'e4', 'e6'], []]);
    expect(waiting(startMs + 500)).toEqual([['e1'], ['e2']]);
    expect(waiting(Infinity, 1)).toEqual([['e1'], ['e2']]);
  });
});

describe('open decisions', () => {
  it('are those without outcome, the oldest first', () => {
    const ledger = given(
      decided('a'),
      decided('b', { host: 'host-b', retryable: true }, { atMs: 5 }),
      decided('c', {}, { atMs: 9 }),
      completed('a'),
    );
    expect(openDecisions(ledger, { beforeMs: startMs + 9, limit: 10 })).toMatchObject([
      { requestId: 'b', tenant, host: 'host-b', retryable: true, decidedAtMs: startMs + 5, deadlineMs: startMs + 120_000, arm: 'quick' },
    ]);
    expect(openDecisions(ledger, { beforeMs: Infinity, limit: 1 })).toHaveLength(1);
  });

  it('end with a failure as well, and a hit of the cache is none', () => {
    expect(given(decided('a'), failed('a'), hit('b'), completed('b')).open.size).toBe(0);
  });
});

describe('what is known of a request', () => {
  it('where it began and where it ended', () => {
    const ledger = given(
      decided('a'),
      decided('b'),
      completed('a'),
      hit('c'),
      failed('d', { code: 'no_candidate', arm: null, model: null }),
    );
    expect(findRequest(ledger, tenant, 'a')).toEqual({ decisionSequence: 1, outcomeSequence: 3 });
    expect(findRequest(ledger, tenant, 'b')).toEqual({ decisionSequence: 2, outcomeSequence: null });
    expect(findRequest(ledger, tenant, 'c')).toEqual({ decisionSequence: 4, outcomeSequence: null });
    expect(findRequest(ledger, tenant, 'd')).toEqual({ decisionSequence: 5, outcomeSequence: 5 });
    expect(findRequest(ledger, tenant, 'e')).toBeNull();
  });
});

describe('room', () => {
  it('is made by what ended first, then by what has been open longest, and counted', () => {
    const ledger = fold([decided('a'), decided('b'), ...['c', 'b'].flatMap((id) => [decided(id), completed(id)])], 3);
    evolveLedger(ledger, decided('d'), sequence(7));
    expect([...ledger.requests.keys()]).toEqual(['acme:a', 'acme:b', 'acme:d']);
    evolveLedger(ledger, decided('e'), sequence(8));
    evolveLedger(ledger, decided('f'), sequence(9));
    expect([...ledger.requests.keys()]).toEqual(['acme:d', 'acme:e', 'acme:f']);
    expect(ledger.forgotten).toBe(3);
  });
});

const ids = ['a', 'b', 'c', 'd'] as const;
const anyEvent: fc.Arbitrary<SwitchyardEvent> = fc.tuple(fc.constantFrom(...ids), fc.nat(5), fc.nat(1_000_000)).map(([id, kind, score]) => {
  switch (kind) {
    case 0:
      return decided(id, {}, { id: `d${id}` });
    case 1:
      return completed(id, {}, { id: `c${id}` });
    case 2:
      return rewarded(id, rewardOf('quick', score), { id: `w${id}` });
    case 3:
      return hit(id, { id: `h${id}` });
    default:
      return feedback(id, { feedbackId: `${score % 3}`, scoreMicro: score }, { id: `f${id}${score}` });
  }
});

describe('laws of the ledger', () => {
  it('it is never larger than its limit, and whatever it holds as ended or open it knows', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 200 }), fc.integer({ min: 1, max: 3 }), (events, limit) => {
        const ledger = fold(events, limit);
        expect(ledger.requests.size).toBeLessThanOrEqual(limit);
        expect(ledger.feedback.byId.size).toBeLessThanOrEqual(2 * limit);
        expect(ledger.ended.size() + ledger.open.size).toBe(ledger.requests.size);
        for (const key of ledger.open.keys()) expect(ledger.requests.has(key)).toBe(true);
        expect(
          [...ledger.feedback.byRequest.values()]
            .flat()
            .map(({ id }) => id)
            .sort(),
        ).toEqual([...ledger.feedback.byId.keys()].sort());
      }),
      { seed: 71, numRuns: 300 },
    );
  });

  it('a revision that lost its race changes nothing: the log holds one of each number', () => {
    const ledger = given(...answered('r'), thumb);
    const verdict = decideFeedback(ledger, thumb, terms);
    if (verdict.kind !== 'revise') throw new Error(verdict.kind);
    const won = rewarded('r', verdict.data, { cause: 'e1' });
    const lost = rewarded('r', { ...verdict.data, parts: { ...verdict.data.parts, success: 1 } }, { cause: 'e7' });
    evolveLedger(evolveLedger(ledger, won, sequence(5)), lost, sequence(6));
    expect(ledger.requests.get('acme:r')?.reward).toMatchObject({ revision: 1, parts: { success: 250_000 } });
  });
});
