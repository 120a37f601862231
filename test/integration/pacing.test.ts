import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import type { DataOf } from '../../src/events/index.ts';
import { openTestBus, readLog } from '../support/audit.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/**
 * A tenant with a latency objective beside one without, on the same arms and the same evidence: the slow arm is better, and only the price of time speaks against it. What is asserted are figures of
 * the log and how they belong together, not how long anything took.
 */
let yard: TestYard;
let bus: Bus;

const targetMs = 60;

const model = (id: string, firstTokenMs: number, quality: number) => ({
  id,
  provider: {
    kind: 'simulated',
    firstTokenMs: { median: firstTokenMs, p95: 1.2 * firstTokenMs },
    tokensPerSecond: 10_000,
    answerTokens: { median: 10, p95: 15 },
    quality,
  },
  price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 },
  contextTokens: 100_000,
});

beforeAll(async () => {
  yard = await startTestYard({
    models: [model('slow', 250, 1), model('quick', 2, 0.6)],
    arms: ['slow', 'quick'].map((id) => ({ id, model: id })),
    policy: { kind: 'beta-bernoulli-thompson', floor: 0.05, trial: { requests: 0, share: 0 } },
    reward: { weights: { success: 1, streaming: 0, cache: 0, cost: 0 } },
    tenants: [{ id: 'patient' }, { id: 'hurried', budget: { latencyTargetMs: targetMs } }],
  });
  bus = await openTestBus(yard);
  await yard.ready();
});

afterAll(async () => {
  await bus.close();
  await yard.close();
});

let asked = 0;
const ask = async (tenant: string): Promise<void> => {
  const id = `asked-${++asked}`;
  const response = await fetch(`${yard.httpUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': id, 'x-switchyard-tenant': tenant },
    body: JSON.stringify({ messages: [{ role: 'user', content: `what is ${id}` }] }),
  });
  expect({ id, status: response.status, body: await response.text() }).toMatchObject({ status: 200 });
};

type Pace = DataOf<'budget.paced'>;

/** Mean latency of the requests that a step looked at. */
const meanLatencyMs = (last: Pace, next: Pace): number =>
  (next.totals.latencyMs - last.totals.latencyMs) / (next.totals.requests - last.totals.requests);

const slowOf = ({ candidates }: DataOf<'route.decided'>) => {
  const slow = candidates.find(({ arm }) => arm === 'slow');
  if (slow === undefined) throw new Error(`expected the candidate slow, got ${JSON.stringify(candidates)}`);
  return slow;
};
const meanShare = (decisions: readonly DataOf<'route.decided'>[]): number =>
  decisions.reduce((sum, decision) => sum + slowOf(decision).propensity, 0) / decisions.length;

it('the price of time rises while answers take longer than the objective, and moves requests to the quicker arm', async () => {
  for (let round = 0; round < 25; round++)
    await Promise.all(Array.from({ length: 10 }, (_, i) => ask(i % 5 === 0 ? 'patient' : 'hurried')));
  const log = await readLog(bus);

  const paced = log.filter((event) => event.type === 'budget.paced');
  expect(new Set(paced.map(({ tenant }) => String(tenant)))).toEqual(new Set(['hurried']));
  const paces = paced.map(({ data }) => data);
  expect(paces.map(({ step }) => step)).toEqual(paces.map((_, i) => i + 1));
  let above = 0;
  for (const [i, next] of paces.entries()) {
    expect(next).toMatchObject({ latencyTargetMs: targetMs, usdPerRequest: null, rewardPerUsd: 0 });
    const last = paces[i - 1];
    if (last === undefined) continue;
    const isAbove = meanLatencyMs(last, next) > targetMs;
    // A second over the whole objective is worth a whole reward at most.
    const highest = 1 / (targetMs / 1_000);
    if (isAbove) {
      above++;
      if (last.rewardPerSecond < highest) expect(next.rewardPerSecond).toBeGreaterThan(last.rewardPerSecond);
      else expect(next.rewardPerSecond).toBeCloseTo(highest, 9);
    } else expect(next.rewardPerSecond).toBeLessThanOrEqual(last.rewardPerSecond);
  }
  expect(above).toBeGreaterThanOrEqual(3);

  const decisions = log.filter((event) => event.type === 'route.decided');
  const hurried = decisions.filter(({ tenant }) => tenant === 'hurried').map(({ data }) => data);
  const patient = decisions.filter(({ tenant }) => tenant === 'patient').map(({ data }) => data);
  // Each decision uses the price of a step that is in the log.
  for (const { pacing } of hurried) {
    if (pacing === null) throw new Error('expected a price in each decision of a tenant with an objective');
    if (pacing.step > 0) expect(pacing.rewardPerSecond).toBeCloseTo(paces[pacing.step - 1]?.rewardPerSecond ?? 0, 9);
  }
  expect(patient.every(({ pacing }) => pacing === null)).toBe(true);
  expect(meanShare(hurried.slice(-30))).toBeLessThan(meanShare(hurried.slice(0, 30)) - 0.15);
  expect(meanShare(hurried.slice(-30))).toBeLessThan(meanShare(patient.slice(-10)) - 0.4);
});
