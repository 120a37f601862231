import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import { evidenceFields } from '../../../src/domain/routing/sums.ts';
import { snapshotOf, stateOf, type StateSnapshot } from '../../../src/domain/routing/snapshot.ts';
import { emptyRouterState, evolveRouter, foldEvent, routerEventTypes, type RouterState } from '../../../src/domain/routing/state.ts';
import { summaryOf } from '../../../src/domain/routing/summary.ts';
import { blockStart, tickOf } from '../../../src/domain/routing/time-blocks.ts';
import type { EventType, SwitchyardEvent } from '../../../src/events/index.ts';
import type { Json } from '../../../src/json.ts';
import { anyEvent } from '../../support/event-arbitrary.ts';
import { historyOf, storedAt, type History } from '../../support/state-events.ts';

const textOf = (snapshot: StateSnapshot): string => canonicalJson(JSON.parse(JSON.stringify(snapshot)) as Json);

const live = (history: History, state: RouterState = emptyRouterState()): RouterState =>
  history.reduce((folded, events, index) => evolveRouter(folded, { sequence: index + 1, storedAtMs: storedAt(index + 1), events }), state);

type Stored = { readonly event: SwitchyardEvent; readonly storedAtMs: number };
const storedIn = (history: History): readonly Stored[] =>
  history.flatMap((events, index) => events.map((event) => ({ event, storedAtMs: storedAt(index + 1) })));

/** Whoever reads events in any order, some of them more than once, and knows them by their ids. */
const foldOnce = (events: readonly Stored[], sequence: number): RouterState => {
  const state = emptyRouterState(sequence);
  const seen = new Set<string>();
  for (const { event, storedAtMs } of events) {
    if (!seen.has(event.id)) foldEvent(state, event, storedAtMs);
    seen.add(event.id);
  }
  return state;
};

const shuffledWithDuplicates = (history: History): fc.Arbitrary<readonly Stored[]> => {
  const events = storedIn(history);
  return fc
    .array(fc.constantFrom(...events), { maxLength: 10 })
    .chain((again) => fc.shuffledSubarray([...events, ...again], { minLength: events.length + again.length }));
};

describe('the state of the router', () => {
  it('is the same for a log in any order, with any of it delivered more than once', () => {
    fc.assert(
      fc.property(
        historyOf(40).chain((history) => fc.tuple(fc.constant(history), shuffledWithDuplicates(history))),
        ([history, delivered]) => {
          expect(textOf(snapshotOf(foldOnce(delivered, history.length)))).toBe(textOf(snapshotOf(live(history))));
        },
      ),
      { seed: 9, numRuns: 300 },
    );
  });

  it('is the same when it was cut anywhere: kept as plain data, read again, and folded on', () => {
    fc.assert(
      fc.property(historyOf(40), fc.nat(), (history, place) => {
        const cut = place % (history.length + 1);
        const kept = JSON.parse(JSON.stringify(snapshotOf(live(history.slice(0, cut))))) as StateSnapshot;
        expect(snapshotOf(stateOf(kept))).toEqual(kept);
        expect(textOf(snapshotOf(live(history, stateOf(kept))))).toBe(textOf(snapshotOf(live(history))));
      }),
      { seed: 10, numRuns: 300 },
    );
  });

  it('is for each block the plain sum over what was decided in it', () => {
    fc.assert(
      fc.property(historyOf(40), (history) => {
        const { blocks, latestTick } = snapshotOf(live(history));
        const sums = new Map<string, number[]>();
        for (const { event, storedAtMs } of storedIn(history)) {
          if (event.type !== 'reward.recorded') continue;
          const { time, data } = event;
          for (const cell of data.cells) {
            const key = `${data.arm} ${cell} ${blockStart(tickOf(Math.min(Date.parse(data.decidedAt ?? time), storedAtMs)), latestTick)}`;
            const sum = sums.get(key) ?? evidenceFields.map(() => 0);
            sums.set(
              key,
              evidenceFields.map((field, i) => (sum[i] ?? 0) + data.evidence[field]),
            );
          }
        }
        expect(latestTick).toBeLessThanOrEqual(tickOf(storedAt(history.length)));
        expect(new Map(blocks.map(({ arm, cell, startTick, sums: found }) => [`${arm} ${cell} ${startTick}`, found]))).toEqual(sums);
      }),
      { seed: 11 },
    );
  });

  it('goes by sequence when it lives: what comes again is skipped, what is missing is noticed', () => {
    const [history = []] = fc.sample(historyOf(20), { seed: 7, numRuns: 1 });
    const state = live(history);
    const before = textOf(snapshotOf(state));
    for (const [index, events] of history.entries()) evolveRouter(state, { sequence: index + 1, storedAtMs: storedAt(index + 1), events });
    expect(textOf(snapshotOf(state))).toBe(before);
    expect(() => evolveRouter(state, { sequence: history.length + 2, storedAtMs: 0, events: [] })).toThrow(/expected log sequence/);
  });

  it('changes with the events that are named, and with no other', () => {
    const named = new Set<EventType>(routerEventTypes);
    const empty = textOf(snapshotOf(emptyRouterState()));
    fc.assert(
      fc.property(
        anyEvent.filter(({ type }) => !named.has(type)),
        (event) => {
          const state = emptyRouterState();
          foldEvent(state, event, Date.parse(event.time));
          expect(textOf(snapshotOf(state))).toBe(empty);
        },
      ),
      { seed: 12 },
    );
  });

  it('has a summary that tells any two states apart', () => {
    fc.assert(
      fc.property(historyOf(15), historyOf(15), (a, b) => {
        const [one, other] = [snapshotOf(live(a)), snapshotOf(live(b))];
        expect(summaryOf(one).fingerprint === summaryOf(other).fingerprint).toBe(textOf(one) === textOf(other));
        expect(summaryOf(JSON.parse(JSON.stringify(one)) as StateSnapshot)).toEqual(summaryOf(one));
      }),
      { seed: 13 },
    );
  });
});
