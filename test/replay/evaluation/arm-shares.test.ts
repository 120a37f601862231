import { expect, test } from 'vitest';
import { openArmShares } from '../../../src/replay/evaluation/arm-shares.ts';
import { pageOf, weighPage } from '../../../src/replay/evaluation/evaluated-page.ts';
import { distributionCandidate } from '../../../src/replay/evaluation/candidate.ts';
import type { LoggedDecision } from '../../../src/replay/logged/logged-decision.ts';
import { madeUpLog } from '../support/made-up-log.ts';

const always = (arm: string) =>
  distributionCandidate({ name: arm, file: null, arms: [arm], probabilities: (_slot, of) => of.map((one) => (one === arm ? 1 : 0)) });
const sharesOf = async (log: readonly LoggedDecision[], ...arms: readonly string[]) => {
  const candidates = arms.map(always);
  const shares = openArmShares(candidates.length);
  for (let from = 0; from < log.length; from += 50) {
    const page = pageOf(log.slice(from, from + 50), null);
    shares.add(page, await weighPage(page, candidates, null, { learns: false }));
  }
  return shares.finish();
};

test('shares of the logger and of candidates, over all and by part of the period', async () => {
  const log = madeUpLog({ size: 400, seed: 'shares', logger: (i) => (i < 200 ? [1, 0, 0] : [0, 0, 1]) });
  const { arms, parts, withChoice, untold } = await sharesOf(log, 'b', 'c');
  expect(arms.map(({ arm, records, share, candidates }) => [arm, records, share, candidates])).toEqual([
    ['a', 200, 0.5, [0, 0]],
    ['c', 200, 0.5, [0, 1]],
    // Never drawn, and what a candidate would choose.
    ['b', 0, 0, [1, 0]],
  ]);
  expect(parts.reduce((sum, { records }) => sum + records, 0)).toBe(400);
  expect(arms[0]?.overTime[0]).toBe(1);
  expect(arms[0]?.overTime.at(-1)).toBe(0);
  for (const [part] of parts.entries()) expect(arms.reduce((sum, { overTime }) => sum + (overTime[part] ?? NaN), 0)).toBeCloseTo(1, 12);
  expect([withChoice, untold]).toEqual([400, 0]);
});

test('decisions without a choice are counted, where the log names the candidates of each', async () => {
  const narrow = (one: LoggedDecision, i: number): LoggedDecision =>
    i % 4 === 0 ? { ...one, candidates: { arms: [one.arm], propensities: [1] } } : one;
  const logger = () => [0.5, 0.3, 0.2];
  expect(await sharesOf(madeUpLog({ size: 100, seed: 'narrow', logger, change: narrow }))).toMatchObject({ withChoice: 75, untold: 0 });
  // What was certain left no choice, also where the record names nothing else.
  const alone = (one: LoggedDecision, i: number): LoggedDecision =>
    i < 10 ? { ...one, candidates: null, propensity: i < 4 ? 1 : 0.5 } : one;
  expect(await sharesOf(madeUpLog({ size: 100, seed: 'alone', logger, change: alone }))).toMatchObject({ withChoice: 90, untold: 6 });
});

test('however many arms there are, 31 are named and the rest are one', async () => {
  const log = madeUpLog({
    size: 1_000,
    seed: 'many',
    logger: () => [1, 0, 0],
    change: (one, i) => ({ ...one, arm: `arm-${i % 100}`, candidates: null }),
  });
  const { arms } = await sharesOf(log);
  expect(arms).toHaveLength(32);
  expect(arms[0]).toMatchObject({ arm: '(others)', records: 690 });
  expect(arms.reduce((sum, { records }) => sum + records, 0)).toBe(1_000);
});
