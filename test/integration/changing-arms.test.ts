import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { askForPolicy } from '../../src/cli/ask-router.ts';
import type { DataOf, SwitchyardEvent } from '../../src/events/index.ts';
import { openTestBus, readLog } from '../support/audit.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, writeConfig, type TestYard } from '../support/yard.ts';

/**
 * Arms are re-priced, added, removed and disabled as a user does it: the configuration is changed and the worker started again, on a log that goes on. Policies forget nothing here, so that
 * the posterior of an arm counts its rewards exactly: alpha + beta = 2 + trials.
 */
let yard: TestYard;
let bus: Bus;

const budgetUsd = 1e-4;
const usualPrice = 0.5;
/** An answer then costs dozens of budgets: more than its reward is worth, and less than what is never bought. */
const dearPrice = 300 * usualPrice;

const model = (id: string, quality: number, price: number) => ({
  id,
  provider: {
    kind: 'simulated',
    firstTokenMs: { median: 2, p95: 5 },
    tokensPerSecond: 10_000,
    answerTokens: { median: 20, p95: 20 },
    quality,
  },
  price: { inputUsdPerMillionTokens: price, outputUsdPerMillionTokens: price },
  contextTokens: 100_000,
});

type Arm = { readonly id: 'good' | 'poor' | 'fresh'; readonly enabled?: boolean };

const configOf = (goodPrice: number, arms: readonly Arm[]) => ({
  models: [model('good', 1, goodPrice), model('poor', 0.2, 2 * usualPrice), model('fresh', 0.2, 2 * usualPrice)],
  arms: arms.map((arm) => ({ ...arm, model: arm.id })),
  policy: {
    kind: 'beta-bernoulli-thompson',
    floor: 0.05,
    trial: { requests: 0, share: 0 },
    memory: { halfLifeSeconds: null, falseAlarm: null },
  },
  reward: { weights: { success: 1, streaming: 0, cache: 0, cost: 0 } },
  budget: { usdPerRequest: budgetUsd },
});

beforeAll(async () => {
  yard = await startTestYard(configOf(usualPrice, [{ id: 'good' }, { id: 'poor' }]));
  bus = await openTestBus(yard);
  await yard.ready();
});

afterAll(async () => {
  await bus.close();
  await yard.close();
});

/** A new configuration takes effect when the worker is started again. */
const reconfigure = async (goodPrice: number, arms: readonly Arm[]): Promise<void> => {
  const { configured } = await askForPolicy(bus.messenger);
  const { settings } = yard;
  writeConfig(path.dirname(settings.file ?? ''), {
    ...configOf(goodPrice, arms),
    dataDir: settings.config.dataDir,
  });
  yard.kill9('worker');
  await eventually(async () => (await askForPolicy(bus.messenger)).configured?.version !== configured?.version);
  await yard.ready();
};

let asked = 0;
/** In small steps, so that prices can follow. Gives back the decisions in the order of the log. */
const ask = async (requests: number): Promise<readonly DataOf<'route.decided'>[]> => {
  const before = asked;
  while (asked < before + requests)
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        const id = `asked-${String(++asked).padStart(4, '0')}`;
        const response = await fetch(`${yard.httpUrl}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-request-id': id },
          body: JSON.stringify({ messages: [{ role: 'user', content: `what is ${id}` }] }),
        });
        expect({ id, status: response.status, body: await response.text() }).toMatchObject({ status: 200 });
      }),
    );
  return (await readLog(bus))
    .filter(isDecision)
    .slice(before)
    .map(({ data }) => data);
};

const isDecision = (event: SwitchyardEvent): event is Extract<SwitchyardEvent, { type: 'route.decided' }> => event.type === 'route.decided';

const candidateOf = (decision: DataOf<'route.decided'> | undefined, arm: string) => {
  const candidate = decision?.candidates.find((one) => one.arm === arm);
  if (candidate === undefined) throw new Error(`expected the candidate ${arm}, got ${JSON.stringify(decision?.candidates)}`);
  return candidate;
};

const trialsBelieved = (decision: DataOf<'route.decided'> | undefined, arm: string): number => {
  const { posterior } = candidateOf(decision, arm);
  if (posterior?.family !== 'beta') throw new Error(`expected a Beta posterior of ${arm}, got ${JSON.stringify(posterior)}`);
  return Math.round(posterior.alpha + posterior.beta - 2);
};

const trialsRecorded = async (arm: string): Promise<number> =>
  (await readLog(bus)).reduce(
    (sum, { type, data }) => (type === 'reward.recorded' && data.arm === arm ? sum + data.evidence.trials : sum),
    0,
  );

const meanPropensity = (decisions: readonly DataOf<'route.decided'>[], arm: string): number =>
  decisions.reduce((sum, decision) => sum + candidateOf(decision, arm).propensity, 0) / decisions.length;

it('decisions follow prices at once, and what was learned of arms outlives their absence', async () => {
  const usual = await ask(60);
  const usualShare = meanPropensity(usual.slice(-20), 'good');
  expect(usualShare).toBeGreaterThan(0.7);

  // The good arm is re-priced, one is removed, one is added.
  const learned = { good: await trialsRecorded('good'), poor: await trialsRecorded('poor') };
  await reconfigure(dearPrice, [{ id: 'good' }, { id: 'fresh' }]);
  const dear = await ask(40);
  const ratio = (candidateOf(dear[0], 'good').expectedCostNanoUsd ?? 0) / (candidateOf(usual.at(-1), 'good').expectedCostNanoUsd ?? 0);
  expect(ratio / (dearPrice / usualPrice)).toBeGreaterThan(0.8);
  expect(ratio / (dearPrice / usualPrice)).toBeLessThan(1.25);
  expect(dear[0]?.candidates.map(({ arm }) => arm)).toEqual(['good', 'fresh']);
  expect(trialsBelieved(dear[0], 'good')).toBe(learned.good);
  expect(trialsBelieved(dear[0], 'fresh')).toBe(0);
  expect(candidateOf(dear[0], 'good').adjustment).toBeLessThan(20 * candidateOf(usual.at(-1), 'good').adjustment);
  const dearShare = meanPropensity(dear.slice(-20), 'good');
  expect(dearShare).toBeLessThan(usualShare - 0.4);

  // The old price again, the removed arm is back, the added one disabled.
  await reconfigure(usualPrice, [{ id: 'good' }, { id: 'poor' }, { id: 'fresh', enabled: false }]);
  const again = await ask(30);
  expect(candidateOf(again[0], 'good').expectedCostNanoUsd).toBeLessThan((candidateOf(dear[0], 'good').expectedCostNanoUsd ?? 0) / 100);
  expect(again[0]?.exclusions).toEqual([{ arm: 'fresh', reason: 'disabled' }]);
  expect(trialsBelieved(again[0], 'poor')).toBe(learned.poor);
  expect(meanPropensity(again.slice(-20), 'good')).toBeGreaterThan(dearShare + 0.4);

  // All of them.
  const fresh = await trialsRecorded('fresh');
  expect(fresh).toBeGreaterThan(0);
  await reconfigure(usualPrice, [{ id: 'good' }, { id: 'poor' }, { id: 'fresh' }]);
  const [all] = await ask(5);
  expect(all?.candidates.map(({ arm }) => arm)).toEqual(['good', 'poor', 'fresh']);
  expect(trialsBelieved(all, 'fresh')).toBe(fresh);
});
