import { describe, expect, it } from 'vitest';
import { normalFrom, seededRandom } from '../../../src/domain/random.ts';
import { compareCanary, reportOnCanary, type Comparison, type GuardedCanary } from '../../../src/domain/routing/canary-guard.ts';
import { addInto, sumsOf, type RewardEvidence, type Sums } from '../../../src/domain/routing/sums.ts';
import { armOf, contentOf, deciding } from '../support/routing.ts';
import { emptyRouterState, noTrial, type Trial } from '../../../src/domain/routing/state.ts';

/** What requests of one side are like. Costs are log-normal around a mean that is given in 1e-6 dollars. */
type Side = { readonly quality: number; readonly errorRate: number; readonly costMicroUsd: number };

const alike: Side = { quality: 0.8, errorRate: 0.02, costMicroUsd: 300 };

const guarded: GuardedCanary = {
  share: 0.2,
  weights: { success: 0.6, streaming: 0.2, cache: 0, cost: 0.2 },
  // Margins of nothing: every difference in the wrong direction counts.
  guard: { confidence: 0.95, minRequests: 50, rewardMargin: 0, errorMargin: 0, costMargin: 0 },
};

const million = 1_000_000;
const draw = (side: Side, random: () => number): RewardEvidence => {
  const failed = random() < side.errorRate;
  const costNanoUsd = Math.round(side.costMicroUsd * 1_000 * Math.exp(0.7 * normalFrom(random) - 0.245));
  const part = (value: number): number => (failed ? 0 : Math.round(value * million));
  const success = part(random() < side.quality ? 1 : 0);
  const streaming = part(random());
  const cost = part(1 / (1 + costNanoUsd / 1e6));
  const squared = (value: number): number => Math.round((value * value) / million);
  return {
    trials: 1,
    measured: 1,
    failures: failed ? 1 : 0,
    success,
    streaming,
    cache: 0,
    cost,
    successSquare: squared(success),
    streamingSquare: squared(streaming),
    cacheSquare: 0,
    costSquare: squared(cost),
    costNanoUsd,
    spendSquare: Math.ceil((costNanoUsd / 10_000) ** 2),
    latencyMs: 100,
    promptTokens: 10,
    completionTokens: 10,
  };
};

type Judge = (canary: GuardedCanary, trial: Trial) => readonly Pick<Comparison, 'quantity' | 'isWorse'>[] | null;

/** Watches one trial, at each request of the canary; what it was taken back for, and after how many requests of the canary. */
const watch = (
  seed: string,
  sides: { readonly stable: Side; readonly canary: Side },
  options: { readonly requests: number; readonly judge?: Judge; readonly canary?: GuardedCanary },
) => {
  const { requests, judge = compareCanary, canary = guarded } = options;
  const random = seededRandom(seed);
  const trial = noTrial(1);
  let canaryRequests = 0;
  const add = (sums: Sums, side: Side) => {
    addInto(sums, sumsOf(draw(side, random)));
  };
  for (let i = 0; i < requests; i++) {
    const isCanary = random() < canary.share;
    add(isCanary ? trial.canary : trial.stable, isCanary ? sides.canary : sides.stable);
    if (!isCanary) continue;
    canaryRequests++;
    const worse = judge(canary, trial)?.find(({ isWorse }) => isWorse);
    if (worse !== undefined) return { quantity: worse.quantity, canaryRequests };
  }
  return null;
};

/** What is wrong to do: a test for one look, at every look. It takes the same differences and the same share of the error for each quantity (1.67 %, one side: 2.128 standard errors). */
const testAtEveryLook: Judge = (canary, trial) =>
  compareCanary(canary, trial)?.map(({ quantity, stable, canary: other, difference, high }) => {
    const requests = stable.requests + other.requests;
    const standardError = (high - difference) / boundaryAt(requests, canary);
    return { quantity, isWorse: (quantity === 'reward' ? -difference : difference) > 2.128 * standardError };
  }) ?? null;

/** The width in standard errors, written down a second time from the formula. */
const boundaryAt = (requests: number, { share, guard }: GuardedCanary): number => {
  const a = (1 - guard.confidence) / 3;
  const tuned = (4 * guard.minRequests) / share;
  const rSquare = (-2 * Math.log(2 * a) + Math.log(1 - 2 * Math.log(2 * a))) / tuned;
  const t = requests * rSquare + 1;
  return Math.sqrt(requests) * Math.sqrt(((2 * t) / (requests ** 2 * rSquare)) * Math.log(1 + Math.sqrt(t) / (2 * a)));
};

describe('two policies that are alike', () => {
  const runs = 200;
  const falseAlarms = (judge: Judge): number =>
    Array.from({ length: runs }, (_, run) => watch(`alike ${run}`, { stable: alike, canary: alike }, { requests: 5_000, judge })).filter(
      (taken) => taken !== null,
    ).length;

  // Were the true rate 5 %, 200 runs would show 2 false alarms or fewer with a probability of 0.2 %, and more than 21 with one of 0.05 %.
  it('are told apart in less than 5 % of the trials, watched through 5,000 requests', () => {
    expect(falseAlarms(compareCanary)).toBeLessThanOrEqual(2);
  });

  it('are told apart much too often by a test for one look', () => {
    expect(falseAlarms(testAtEveryLook)).toBeGreaterThan(21);
  });

  it('are told apart no more often when few fail, when the share is half, and when the guard looks early', () => {
    const rare: Side = { ...alike, errorRate: 0.001 };
    const canary: GuardedCanary = { ...guarded, share: 0.5, guard: { ...guarded.guard, minRequests: 10 } };
    const taken = Array.from({ length: runs }, (_, run) =>
      watch(`rare ${run}`, { stable: rare, canary: rare }, { requests: 2_000, canary }),
    ).filter((one) => one !== null);
    expect(taken.length).toBeLessThanOrEqual(2);
  });
});

/** Seeded; of each there are 100 trials, and all are taken back within the stated number of requests of the canary. */
describe('a canary that is worse', () => {
  const taken = (canary: Side) =>
    Array.from({ length: 100 }, (_, run) => watch(`worse ${run}`, { stable: alike, canary }, { requests: 20_000 }));

  it.each([
    ['half of its requests fail', 'errors', { ...alike, errorRate: 0.5 }, 60],
    ['10 % of its requests fail in place of 2 %', 'errors', { ...alike, errorRate: 0.1 }, 350],
    ['50 % of its answers are good in place of 80 %', 'reward', { ...alike, quality: 0.5 }, 200],
    ['it costs twice as much', 'cost', { ...alike, costMicroUsd: 600 }, 200],
  ] as const)('is taken back: %s', (_what, quantity, canary, within) => {
    const runs = taken(canary);
    expect(runs.filter((run) => run === null)).toEqual([]);
    expect(Math.max(...runs.map((run) => run?.canaryRequests ?? Infinity))).toBeLessThanOrEqual(within);
    expect(runs.filter((run) => run?.quantity === quantity).length).toBeGreaterThan(50);
  });
});

describe('the guard', () => {
  const trialOf = (stable: Side, canary: Side, requests: number): Trial => {
    const random = seededRandom('one trial');
    const trial = noTrial(1);
    for (let i = 0; i < requests; i++) {
      addInto(trial.stable, sumsOf(draw(stable, random)));
      addInto(trial.canary, sumsOf(draw(canary, random)));
    }
    return trial;
  };
  const worse = (comparisons: readonly Comparison[] | null) =>
    comparisons?.filter(({ isWorse }) => isWorse).map(({ quantity }) => quantity);
  const dear: Side = { ...alike, costMicroUsd: 390 };

  it('waits for the least number of requests on both sides', () => {
    const bad: Side = { ...alike, errorRate: 1 };
    expect(compareCanary(guarded, trialOf(alike, bad, 49))).toBeNull();
    expect(worse(compareCanary(guarded, trialOf(alike, bad, 50)))).toContain('errors');
    const { canary } = trialOf(alike, bad, 200);
    expect(compareCanary(guarded, { ...trialOf(alike, bad, 10), canary })).toBeNull();
  });

  it('lets pass what is worse by less than the margin, with the figures', () => {
    const canary: GuardedCanary = { ...guarded, weights: { success: 1, streaming: 0, cache: 0, cost: 0 } };
    const trial = trialOf(alike, dear, 5_000);
    expect(worse(compareCanary(canary, trial))).toEqual(['cost']);
    const patient = compareCanary({ ...canary, guard: { ...canary.guard, costMargin: 0.5 } }, trial);
    expect(worse(patient)).toEqual([]);
    const cost = patient?.find(({ quantity }) => quantity === 'cost');
    expect(cost?.margin).toBeCloseTo(0.5 * (cost?.stable.mean ?? 0), 6);
    expect(cost?.low).toBeLessThan(cost?.difference ?? 0);
    expect(cost?.difference).toBeCloseTo(90_000, -4);
  });

  it('takes nobody back for being better', () => {
    const better: Side = { quality: 1, errorRate: 0, costMicroUsd: 100 };
    expect(worse(compareCanary(guarded, trialOf(alike, better, 5_000)))).toEqual([]);
  });

  it('does not take sides that have only seen equal values for certain', () => {
    const trial = noTrial(1);
    const equal = (costNanoUsd: number): RewardEvidence => ({
      ...draw({ quality: 1, errorRate: 0, costMicroUsd: 1 }, () => 0.5),
      success: million,
      successSquare: million,
      costNanoUsd,
      spendSquare: Math.ceil((costNanoUsd / 10_000) ** 2),
    });
    for (let i = 0; i < 50; i++) {
      addInto(trial.stable, sumsOf(equal(300)));
      addInto(trial.canary, sumsOf(equal(400)));
    }
    expect(worse(compareCanary(guarded, trial))).toEqual([]);
  });

  it('is not troubled by arms that cost nothing', () => {
    const free: Side = { ...alike, costMicroUsd: 0 };
    const comparisons = compareCanary(guarded, trialOf(free, free, 100));
    expect(worse(comparisons)).toEqual([]);
    expect(comparisons?.flatMap(({ low, high }) => [low, high]).every(Number.isFinite)).toBe(true);
  });
});

it('says why in words, money in dollars', () => {
  const sums = (costNanoUsd: number) => {
    const side = noTrial(1).stable;
    for (let i = 0; i < 200; i++)
      addInto(
        side,
        sumsOf({
          ...draw({ ...alike, errorRate: 0 }, seededRandom(`words ${i}`)),
          costNanoUsd,
          spendSquare: Math.ceil((costNanoUsd / 10_000) ** 2),
        }),
      );
    return side;
  };
  const content = contentOf({ kind: 'static', shares: { quick: 1 } }, [armOf('quick')]);
  const state = emptyRouterState();
  state.canary = {
    event: { ...content, ...guarded, guard: { ...guarded.guard, costMargin: 0.1 }, change: 1 },
    rule: deciding(content).rule,
  };
  state.trial = { ...noTrial(1), stable: sums(300_000), canary: sums(2_789_487) };
  const reason = reportOnCanary(state)?.verdict?.reason;
  expect(reason).toMatch(
    /^cost: \$0\.002789487 in 200 requests against \$0\.0003 in 200 of the policy in force; the difference is \$0\.00\d+ to \$0\.00\d+ with 95\.0 % confidence, the margin \$0\.00003$/,
  );
});
