import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/domain/random.ts';
import { changeTick } from '../../../src/domain/routing/change-point.ts';
import { emptyEvidence, type Evidence } from '../../../src/domain/routing/evidence.ts';
import type { Series } from '../../../src/domain/routing/series.ts';
import { remembering } from '../../../src/domain/routing/policies/remembering.ts';
import { learn, startTick, successOnly } from '../support/routing.ts';

const strataOf = (evidence: Evidence, ...cells: readonly string[]): readonly Series[] =>
  cells.map((cell) => evidence.arms.get('quick')!.cells.get(cell)!);
const change = (evidence: Evidence, falseAlarm = 0.01, cells: readonly string[] = ['all']) =>
  changeTick(strataOf(evidence, ...cells), evidence.latestTick, successOnly, falseAlarm);

/** Rewards of 0 or 1, four to a tick, with the given probability of 1. */
const stream = (seed: string, rewards: number, probability: (n: number) => number, evidence = emptyEvidence()): Evidence => {
  const random = seededRandom(seed);
  for (let n = 0; n < rewards; n++) learn(evidence, 'quick', { reward: random() < probability(n) ? 1 : 0, ticks: Math.floor(n / 4) });
  return evidence;
};

describe('an arm that did not change', () => {
  // With a stated rate of 10 %, more than 60 alarms in 400 streams would come once in a thousand runs of other seeds.
  it.each([0.5, 0.9, 0.99, 0.02])('with mean %s is taken for one that did no more often than is stated', (mean) => {
    let alarms = 0;
    for (let n = 0; n < 400; n++)
      if (
        change(
          stream(`still ${mean} ${n}`, 300, () => mean),
          0.1,
        ) > 0
      )
        alarms++;
    expect(alarms).toBeLessThan(60);
  });

  it('is hardly ever taken for one, at the rate of the defaults', () => {
    // Expected at most 4 of 400; 12 or more would come once in a thousand runs.
    let alarms = 0;
    for (let n = 0; n < 400; n++) if (change(stream(`calm ${n}`, 400, () => 0.7)) > 0) alarms++;
    expect(alarms).toBeLessThan(12);
  });

  it('never changed when it has one block, or no rewards', () => {
    expect(change(learn(emptyEvidence(), 'quick', { times: 50, reward: 1 }))).toBe(0);
    expect(changeTick([], 5, successOnly, 0.5)).toBe(0);
  });
});

describe('an arm whose reward jumped', () => {
  // A jump of .8 shows after some 10 rewards, one of .4 after some 40; in 40 seeds each the slowest took less than this.
  it.each([
    [0.9, 0.1, 24],
    [0.1, 0.9, 24],
    [0.5, 0.9, 120],
    [0.9, 0.5, 120],
  ])('from %s to %s is found within %i rewards, near where it was', (before, after, within) => {
    for (let n = 0; n < 40; n++) {
      const evidence = stream(`jump ${before} ${after} ${n}`, 400 + within, (at) => (at < 400 ? before : after));
      const tick = change(evidence);
      expect(tick, `seed ${n}`).toBeGreaterThan(startTick + 80);
      expect(tick, `seed ${n}`).toBeLessThanOrEqual(startTick + 100 + within / 4);
    }
  });

  it('twice is cut at the second jump', () => {
    const tick = change(stream('twice', 900, (at) => (at < 300 ? 0.9 : at < 600 ? 0.2 : 0.8)));
    expect(Math.abs(tick - startTick - 150)).toBeLessThan(12);
  });
});

/** An arm that is given easy questions first and hard ones later, and answers each kind as well as ever. */
const shiftOfMix = (seed: string): Evidence => {
  const random = seededRandom(seed);
  const evidence = emptyEvidence();
  for (let n = 0; n < 800; n++) {
    const easy = random() < (n < 400 ? 0.9 : 0.1);
    const kind = easy ? 'kind:easy' : 'kind:hard';
    learn(evidence, 'quick', { reward: random() < (easy ? 0.9 : 0.3) ? 1 : 0, ticks: Math.floor(n / 4), cells: ['all', kind] });
  }
  return evidence;
};

describe('a change in which requests an arm is given', () => {
  it('is no change of the arm; without the strata it would be taken for one each time', () => {
    let stratified = 0;
    let pooled = 0;
    for (let n = 0; n < 40; n++) {
      const evidence = shiftOfMix(`mix ${n}`);
      if (change(evidence, 0.01, ['kind:easy', 'kind:hard']) > 0) stratified++;
      if (change(evidence) > 0) pooled++;
    }
    // At most 0.4 expected: four would come once in 1,500 runs.
    expect(stratified).toBeLessThan(4);
    expect(pooled).toBe(40);
  });

  it('hides no change within the kinds', () => {
    const evidence = shiftOfMix('both');
    const random = seededRandom('both, later');
    for (let n = 0; n < 200; n++)
      learn(evidence, 'quick', {
        reward: random() < 0.1 ? 1 : 0,
        ticks: 200 + Math.floor(n / 4),
        cells: ['all', n % 2 === 0 ? 'kind:easy' : 'kind:hard'],
      });
    expect(Math.abs(change(evidence, 0.01, ['kind:easy', 'kind:hard']) - startTick - 200)).toBeLessThan(8);
  });
});

it('is found the same in whatever order rewards came, and whichever kind came first', () => {
  const kinds = ['kind:a', 'kind:b', 'kind:c'];
  const reward = fc.record({
    reward: fc.integer({ min: 0, max: 1_000 }).map((n) => n / 1_000),
    ticks: fc.nat(40),
    cells: fc.constantFrom(...kinds).map((kind) => ['all', kind]),
  });
  const fold = (rewards: readonly { reward: number; ticks: number; cells: string[] }[]) => {
    const evidence = emptyEvidence();
    for (const one of rewards) learn(evidence, 'quick', { ...one, reward: one.ticks < 20 ? one.reward : one.reward / 4 });
    return evidence;
  };
  const tickAt = (evidence: Evidence, falseAlarm: number) =>
    remembering({ halfLifeSeconds: null, falseAlarm }, 'kinds').changeTick(evidence, 'quick', { nowTick: 0, weights: successOnly });
  /** The rate from which on a change is seen, to the last bit. */
  const threshold = (evidence: Evidence): number => {
    let [low, high] = [0, 0.5];
    for (let n = 0; n < 80; n++) {
      const middle = (low + high) / 2;
      if (tickAt(evidence, middle) > 0) high = middle;
      else low = middle;
    }
    return high;
  };
  let found = 0;
  fc.assert(
    fc.property(
      fc
        .array(reward, { minLength: 20, maxLength: 120 })
        .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      ([list, shuffled]) => {
        const [one, other] = [fold(list), fold(shuffled)];
        if (tickAt(one, 0.5) > 0) found++;
        expect(tickAt(other, 0.5)).toBe(tickAt(one, 0.5));
        expect(threshold(other)).toBe(threshold(one));
      },
    ),
    { seed: 65, numRuns: 60 },
  );
  expect(found).toBeGreaterThan(10);
});

it('sees a change in evidence that was looked at before as soon as its tick is over, and at once where it comes late', () => {
  const memory = remembering({ halfLifeSeconds: null, falseAlarm: 0.01 }, ['all']);
  const evidence = stream('seen', 400, () => 0.9);
  const at = { nowTick: evidence.latestTick, weights: successOnly };
  expect(memory.changeTick(evidence, 'quick', at)).toBe(0);
  learn(evidence, 'quick', { reward: 0, times: 30, ticks: 99 });
  // The tick at hand is not over: it ends for every arm when anything is learned of a later one.
  expect(memory.changeTick(evidence, 'quick', at)).toBe(0);
  learn(evidence, 'careful', { ticks: 100 });
  expect(memory.changeTick(evidence, 'quick', at)).toBe(startTick + 99);
  const late = stream('seen', 400, () => 0.9);
  expect(memory.changeTick(late, 'quick', at)).toBe(0);
  learn(late, 'quick', { reward: 0, times: 30, ticks: 98 });
  expect(memory.changeTick(late, 'quick', at)).toBe(startTick + 98);
  // For a tenant who does not weigh success nothing happened.
  expect(memory.changeTick(evidence, 'quick', { ...at, weights: { success: 0, streaming: 1, cache: 0, cost: 0 } })).toBe(0);
  expect(remembering({ halfLifeSeconds: null, falseAlarm: null }, ['all']).changeTick(evidence, 'quick', at)).toBe(0);
});
