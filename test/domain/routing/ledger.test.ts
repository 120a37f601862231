import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequence, type SwitchyardEvent } from '../../../src/events/index.ts';
import { reviseReward } from '../../../src/domain/reward/reward.ts';
import { decideFeedback, findRequest, openDecisions, waitingFeedback } from '../../../src/domain/routing/ledger-questions.ts';
import { emptyLedger, evolveLedger, revisionLimit, type Ledger } from '../../../src/domain/routing/ledger.ts';
import { completed, decided, failed, feedback, hit, rewarded, rewardOf, startMs, tenant, weights } from '../support/events.ts';

const fold = (events: readonly SwitchyardEvent[], limit = 100): Ledger =>
  events.reduce((ledger, event, i) => evolveLedger(ledger, event, sequence(i + 1)), emptyLedger(limit));
const given = (...events: readonly SwitchyardEvent[]) => fold(events);
const answered = (id: string) => [decided(id), completed(id), rewarded(id, rewardOf('quick', 1_000_000))];
const thumb = feedback('r', { feedbackId: 'f1', scoreMicro: 250_000 }, { id: 'e1' });
const second = feedback('r', { feedbackId: 'f2', scoreMicro: 0 }, { id: 'e2' });
const revision = (number: number, cause: string, success: number) =>
  rewarded(
    'r',
    {
      ...rewardOf('quick', success),
      revision: number,
      cause: 'feedback',
      evidence: { trials: 0, success: -1, streaming: 0, cache: 0, cost: 0 },
    },
    { cause },
  );

describe('feedback', () => {
  it('given a reward, when feedback is judged, then it becomes the next revision with the difference as evidence', () => {
    expect(decideFeedback(given(...answered('r'), thumb), thumb, weights)).toEqual({
      kind: 'revise',
      data: {
        arm: 'quick',
        model: 'small',
        revision: 1,
        cause: 'feedback',
        parts: { success: 250_000, streaming: 0, cache: 0, cost: 0 },
        weights,
        rewardMicro: 100_000,
        evidence: { trials: 0, success: -750_000, streaming: 0, cache: 0, cost: 0 },
      },
    });
  });

  it('given no reward yet, then it waits', () => {
    expect(decideFeedback(given(decided('r'), thumb), thumb, weights)).toEqual({ kind: 'wait' });
  });

  it('given no such request, then it is unknown, and becomes a revision when the request comes after all', () => {
    const ledger = given(thumb);
    expect(decideFeedback(ledger, thumb, weights)).toEqual({ kind: 'unknown' });
    answered('r').forEach((event, i) => evolveLedger(ledger, event, sequence(i + 2)));
    expect(decideFeedback(ledger, thumb, weights)).toMatchObject({ kind: 'revise' });
  });

  it('given its revision, then it is done with', () => {
    const ledger = given(...answered('r'), thumb, revision(1, 'e1', 250_000));
    expect(decideFeedback(ledger, thumb, weights)).toEqual({ kind: 'already' });
    expect(waitingFeedback(ledger, { beforeMs: Infinity, limit: 10, skip: () => false })).toEqual([]);
  });

  it('given the same id again, before or after its revision, then it counts once', () => {
    const again = feedback('r', { feedbackId: 'f1', scoreMicro: 900_000 }, { id: 'e9' });
    expect(decideFeedback(given(...answered('r'), thumb, again), again, weights)).toEqual({ kind: 'already' });
    expect(decideFeedback(given(...answered('r'), thumb, revision(1, 'e1', 250_000), again), again, weights)).toEqual({ kind: 'already' });
  });

  it('given two, then they are taken in the order of the log and the later score stands', () => {
    const ledger = given(...answered('r'), thumb, second);
    expect(decideFeedback(ledger, second, weights)).toEqual({ kind: 'wait' });
    expect(decideFeedback(ledger, thumb, weights)).toMatchObject({ kind: 'revise', data: { revision: 1 } });
    evolveLedger(ledger, revision(1, 'e1', 250_000), sequence(6));
    expect(decideFeedback(ledger, second, weights)).toMatchObject({
      kind: 'revise',
      data: { revision: 2, parts: { success: 0 }, evidence: { success: -250_000 } },
    });
  });

  it('given an answer from the cache or an interruption, then the parts change and no arm learns', () => {
    const uncounted = { ...rewardOf('quick', 1_000_000), evidence: { trials: 0, success: 0, streaming: 0, cache: 0, cost: 0 } };
    for (const begin of [hit('r'), decided('r')])
      expect(decideFeedback(given(begin, completed('r'), rewarded('r', uncounted), thumb), thumb, weights)).toMatchObject({
        kind: 'revise',
        data: { parts: { success: 250_000 }, evidence: { trials: 0, success: 0 } },
      });
  });

  it('given more than the limit for one request, then the rest is refused and counted', () => {
    const many = Array.from({ length: revisionLimit + 5 }, (_, i) => feedback('r', { feedbackId: `f${i}` }, { id: `e${i}` }));
    const ledger = given(...answered('r'), ...many);
    expect(ledger.feedback.dropped).toBe(5);
    expect(decideFeedback(ledger, many.at(-1)!, weights)).toEqual({ kind: 'already' });
  });

  it('given some whose request never comes, then it is given up and counted when later feedback is old enough', () => {
    const ledger = given(thumb, feedback('s', { feedbackId: 'g' }, { id: 'e3', atMs: 899_000 }));
    expect(ledger.feedback.byId.size).toBe(2);
    evolveLedger(ledger, feedback('s', { feedbackId: 'h' }, { id: 'e4', atMs: 901_000 }), sequence(3));
    expect([...ledger.feedback.byId.keys()]).toEqual(['e3', 'e4']);
    expect(ledger.feedback.dropped).toBe(1);
  });

  it('given an end without a reward, then there will never be one', () => {
    const unrouted = failed('r', { code: 'no_candidate', arm: null, model: null });
    expect(decideFeedback(given(unrouted, thumb), thumb, weights)).toEqual({ kind: 'unrewarded' });
  });

  it('asked what can be done now, then the next of each request with a reward and the strays that are not skipped, the oldest first', () => {
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
    const waiting = (skip: boolean, beforeMs = Infinity, limit = 10) =>
      waitingFeedback(ledger, { beforeMs, limit, skip: () => skip }).map(({ id }) => id);
    expect(waiting(false)).toEqual(['e1', 'e2', 'e4', 'e6']);
    expect(waiting(true)).toEqual(['e1', 'e4']);
    expect(waiting(false, startMs + 500)).toEqual(['e1', 'e2']);
    expect(waiting(false, Infinity, 1)).toEqual(['e1']);
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
        expect(ledger.feedback.byId.size).toBeLessThanOrEqual(limit);
        expect(ledger.feedback.arrivals.size()).toBeLessThanOrEqual(2 * limit);
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

  it('whoever applies feedback in whatever order it is asked, each id counts once and the evidence sums to the last parts', () => {
    const given3 = fc.array(fc.record({ feedbackId: fc.constantFrom('x', 'y', 'z'), scoreMicro: fc.nat(1_000_000) }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(given3, fc.infiniteStream(fc.nat()), (list, order) => {
        const first = rewardOf('quick', 600_000, 1, 2, 3);
        const events = list.map((data, i) => feedback('r', data, { id: `e${i}` }));
        const ledger = given(decided('r'), completed('r'), rewarded('r', first), ...events);
        let total = first.evidence.success;
        let at = 100;
        while (ledger.feedback.byId.size > 0) {
          const asked = events[order.next().value % events.length]!;
          const verdict = decideFeedback(ledger, asked, weights);
          if (verdict.kind !== 'revise') continue;
          total += verdict.data.evidence.success;
          const recorded = rewarded('r', verdict.data, { cause: asked.id });
          // Delivered twice.
          for (let times = 0; times < 2; times++) evolveLedger(ledger, recorded, sequence(at++));
        }
        const counted = list.filter(({ feedbackId }, i) => list.findIndex((other) => other.feedbackId === feedbackId) === i);
        expect(ledger.requests.get('acme:r')?.reward).toMatchObject({
          revision: counted.length,
          parts: { success: counted.at(-1)!.scoreMicro },
        });
        expect(total).toBe(counted.at(-1)!.scoreMicro);
      }),
      { seed: 72 },
    );
  });

  it('a revision that lost its race changes nothing: the log holds one of each number', () => {
    const ledger = given(...answered('r'), thumb);
    const standing = { ...rewardOf('quick', 1_000_000), counts: true };
    const won = rewarded('r', reviseReward(standing, 250_000, weights), { cause: 'e1' });
    const lost = rewarded('r', reviseReward(standing, 1, weights), { cause: 'e7' });
    evolveLedger(evolveLedger(ledger, won, sequence(5)), lost, sequence(6));
    expect(ledger.requests.get('acme:r')?.reward).toMatchObject({ revision: 1, parts: { success: 250_000 } });
  });
});
