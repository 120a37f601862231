import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataOf } from '../../src/events/index.ts';
import type { Explanation } from '../../src/domain/routing/explain.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';
import { jsonLines, runCli } from './support/cli.ts';

/** `arms --explain` and the state that `arms` shows, beside a real yard: what is explained is what the next decision records. */
let yard: TestYard;
const requests = 24;

beforeAll(async () => {
  yard = await startTestYard({
    policy: { kind: 'contextual-thompson', switchingCost: 0.05 },
    tenants: [{ id: 'default' }, { id: 'acme', budget: { usdPerRequest: 0.00001 } }],
    cache: { enabled: false },
  });
  await yard.ready();
  for (let i = 0; i < requests; i++) await chat(`How many legs have ${i} spiders?`, 'default');
  await projected(requests);
});
afterAll(() => yard.close());

const chat = async (content: string, tenant: string, conversation?: string): Promise<void> => {
  const response = await fetch(`${yard.httpUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-switchyard-tenant': tenant,
      ...(conversation === undefined ? {} : { 'x-switchyard-conversation': conversation }),
    },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content }] }),
  });
  expect({ status: response.status, text: await response.text() }).toMatchObject({ status: 200 });
};

const file = () => yard.settings.file ?? '';
const cli = (...args: string[]) => runCli([...args, '--config', file(), '--nats-url', yard.natsUrl, '--sql-url', yard.sqlUrl]);

/** Until ClickHouse has so many requests, with what their simulated models said of their own answers: nothing is on its way to the log any more. */
const projected = (judged: number) =>
  eventually(
    async () => {
      const body = "SELECT count() FROM events WHERE type = 'reward.recorded' AND revision = 1";
      return Number(await (await fetch(yard.sqlUrl, { method: 'POST', body })).text()) === judged;
    },
    { what: `${judged} judged requests in ClickHouse` },
  );

type Explained = {
  readonly request: {
    readonly features: { readonly kind: string };
    readonly budget: { readonly usdPerRequest: number | null };
    readonly conversation: { readonly previousArm: string | null } | null;
  };
  readonly state: { readonly sequence: number; readonly source: string };
  readonly decisions: readonly (Pick<Explanation, 'arms' | 'policy' | 'share'> &
    Pick<DataOf<'route.decided'>, 'candidates' | 'exclusions' | 'pacing'>)[];
};

const explain = async (...args: string[]): Promise<Explained> => {
  const { status, stdout, stderr } = await cli('arms', '--json', '--explain', ...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return jsonLines(stdout)[0] as Explained;
};

const latestDecision = async (): Promise<DataOf<'route.decided'>> => {
  const { stdout } = await runCli([
    'events',
    '--type',
    'route.decided',
    '--limit',
    '1',
    '--json',
    '--config',
    file(),
    '--nats-url',
    yard.natsUrl,
  ]);
  return (jsonLines(stdout)[0] as { data: DataOf<'route.decided'> }).data;
};

/** Between the two a tick of time may pass, which fades evidence by a factor of 1e-5. */
const expectSame = (explained: Explained, decided: DataOf<'route.decided'>) => {
  expect(explained.state).toEqual({ sequence: decided.stateSequence, source: 'live' });
  const [decision] = explained.decisions;
  expect(decision?.policy).toMatchObject({ id: decided.policy.id, version: decided.policy.version, canary: false });
  expect(decision?.candidates.map(({ arm }) => arm)).toEqual(decided.candidates.map(({ arm }) => arm));
  expect(decision?.exclusions).toEqual(decided.exclusions);
  decided.candidates.forEach((candidate, i) => {
    const mine = decision?.candidates[i];
    expect(mine?.propensity).toBeCloseTo(candidate.propensity, 3);
    expect(mine?.adjustment).toBeCloseTo(candidate.adjustment, 6);
    expect(mine?.expectedCostNanoUsd).toBeCloseTo(candidate.expectedCostNanoUsd ?? 0, 3);
    if (mine?.posterior?.family !== 'normal' || candidate.posterior?.family !== 'normal') throw new Error('expected normal posteriors');
    expect(mine.posterior.mean).toBeCloseTo(candidate.posterior.mean, 3);
  });
};

describe('arms --explain', () => {
  const prompt = 'How many legs have 77 spiders?';

  it('shows what the next decision then records, and sends and records nothing itself', async () => {
    const before = await explain(prompt);
    const explained = await explain(prompt);
    expect(explained.state.sequence).toBe(before.state.sequence);
    const [decision] = explained.decisions;
    expect(decision?.share).toBe(1);
    expect(decision?.candidates.reduce((sum, { propensity }) => sum + propensity, 0)).toBeCloseTo(1, 12);
    const trials = decision?.arms.map(({ cells }) => cells.map(({ trials: count }) => count)) ?? [];
    // All requests were of one kind.
    expect(trials.reduce((sum, [all = 0]) => sum + all, 0)).toBe(requests);
    for (const [all, kind] of trials) expect(kind).toBe(all);
    expect(decision?.arms[0]?.cells.slice(0, 2).map(({ cell }) => cell)).toEqual(['all', `kind:${explained.request.features.kind}`]);

    await chat(prompt, 'default');
    expectSame(explained, await latestDecision());
    await projected(requests + 1);
  });

  it('uses the budget, weights and prices of the tenant that asks, and of a conversation what answered before', async () => {
    await chat(prompt, 'acme', 'spiders');
    const first = await latestDecision();
    await projected(requests + 2);
    // The first price of the tenant is set on after its first request; the next comes ten requests later.
    await eventually(async () => {
      const body = "SELECT count() FROM events WHERE type = 'budget.paced'";
      return Number(await (await fetch(yard.sqlUrl, { method: 'POST', body })).text()) === 1;
    });
    const explained = await explain(prompt, '--tenant', 'acme', '--conversation', 'spiders');
    expect(explained.request.budget.usdPerRequest).toBe(0.00001);
    expect(explained.request.conversation).toMatchObject({ previousArm: first.arm });
    expect(explained.decisions[0]?.pacing?.rewardPerUsd).toBeGreaterThan(0);
    await chat(prompt, 'acme', 'spiders');
    const second = await latestDecision();
    expect(second.conversation?.previousArm).toBe(first.arm);
    expectSame(explained, second);
    await projected(requests + 3);
  });

  it('takes the prompt from stdin, and names exclusions with their reasons', async () => {
    const { status, stdout } = await runCli(
      ['arms', '--explain', '-', '--model', 'sim-b', '--config', file(), '--nats-url', yard.natsUrl, '--sql-url', yard.sqlUrl],
      { input: 'How many legs have two spiders?\n' },
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^b +sim-b .* 100\.00 % +\u2588+$/m);
    expect(stdout).toMatch(/^a +not-requested: the request names another arm or model$/m);
    expect(stdout).toMatch(/^state +sequence \d+, equal to that of a live router$/m);
    expect(stdout).toMatch(/^ {2}kind:[a-z-]+ +a +\d/m);
  });

  it('ends with 1 when no arm can take it', async () => {
    const long = `${'word '.repeat(90_000)}?`;
    const { status, stdout } = await runCli(
      ['arms', '--explain', '-', '--config', file(), '--nats-url', yard.natsUrl, '--sql-url', yard.sqlUrl],
      { input: long },
    );
    expect(status).toBe(1);
    expect(stdout).toContain('no arm can take this request');
    expect(stdout).toMatch(/^a +context-length: /m);
  });

  it.each([
    [['hello', '--model', 'sim-bb'], '--model: expected one of auto, a, sim-a, b, sim-b, c, sim-c; got "sim-bb", perhaps "sim-'],
    [['hello', '--tenant', 'acmee'], '--tenant: expected one of default, acme; got "acmee", perhaps "acme" is meant'],
    [['hello', '--conversation', 'a b'], '--conversation: expected 1 to 128 visible ASCII characters without spaces'],
    [[' '], '--explain: expected a prompt, got nothing'],
  ])('%j is a mistake of one sentence', async (args, expected) => {
    const { status, stdout, stderr } = await cli('arms', '--explain', ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(expected);
  });
});

describe('arms', () => {
  it('shows the policy in force and the breakers, from the state of the live router', async () => {
    const { status, stdout, stderr } = await cli('arms', '--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [report] = jsonLines(stdout) as [{ decisions: number; arms: { arm: string; share: number }[] }];
    expect(report).toMatchObject({
      decisions: requests + 3,
      state: { source: 'live', policy: { kind: 'contextual-thompson', change: 1 }, canary: null },
      arms: ['a', 'b', 'c'].map((arm) => ({ arm, status: 'enabled', breaker: 'closed' })),
    });
    expect(report.arms.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  });
});
