import { fork, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Bus } from '../../src/bus/bus.ts';
import type { PolicyState } from '../../src/actors/policy-change.ts';
import { askForPolicy } from '../../src/cli/ask-router.ts';
import { environmentFor } from '../../src/config/environment.ts';
import { isOfCanary } from '../../src/domain/routing/assignment.ts';
import { recompute } from '../../src/domain/routing/recompute.ts';
import { emptyRouterState, evolveRouter, runningCanary, type RouterState } from '../../src/domain/routing/state.ts';
import { sequence, type EventOf, type SwitchyardEvent } from '../../src/events/index.ts';
import type { PolicySpecInput } from '../../src/events/schemas/policy.ts';
import { runCli } from '../cli/support/cli.ts';
import { openTestBus } from '../support/audit.ts';
import { startLoad } from '../support/load.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** Changes of policy by the command line in a running yard: real processes, two workers on one nats-server. */
let yard: TestYard;
let bus: Bus;
let other: { readonly child: ChildProcess; readonly httpUrl: string };
let folder: string;

const model = (id: string, errorRate: number) => ({
  id,
  provider: {
    kind: 'simulated',
    firstTokenMs: { median: 2, p95: 5 },
    tokensPerSecond: 10_000,
    answerTokens: { median: 10, p95: 20 },
    quality: 1,
    errorRate,
  },
  price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 },
  contextTokens: 100_000,
});

const only = (id: string, shares: Readonly<Record<string, number>>): PolicySpecInput => ({
  kind: 'static',
  id,
  floor: 0,
  trial: { requests: 0, share: 0 },
  shares,
});

const startWorker = async () => {
  const child = fork(path.join(import.meta.dirname, '../../src/processes/worker.ts'), [], {
    env: environmentFor(yard.settings, { natsUrl: yard.natsUrl, httpPort: 0, sqlPort: Number(new URL(yard.sqlUrl).port) }),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const httpUrl = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => {
      resolve((message as { readonly addresses: { readonly http: string } }).addresses.http);
    });
    child.once('exit', () => {
      reject(new Error('the second worker ended'));
    });
  });
  return { child, httpUrl };
};

beforeAll(async () => {
  yard = await startTestYard({
    models: [model('sound', 0), model('twin', 0), model('flaky', 0.4)],
    arms: ['sound', 'twin', 'flaky'].map((id) => ({ id, model: id })),
    policy: only('first', { sound: 1 }),
  });
  bus = await openTestBus(yard);
  other = await startWorker();
  await yard.ready();
  folder = path.dirname(yard.settings.file ?? '');
});

afterAll(async () => {
  await bus.close();
  other.child.removeAllListeners('exit');
  other.child.kill('SIGTERM');
  await yard.close();
});

const policyFile = (spec: PolicySpecInput): string => {
  const file = path.join(folder, `${spec.id ?? 'policy'}.yaml`);
  writeFileSync(file, stringify(spec));
  return file;
};

const policy = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
  const { status, stdout, stderr } = await runCli(['policy', ...args, '--json', '--config', yard.settings.file ?? '']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
};

/** One router of two has taken a change up when the command ends. Which of the two answers is by lot: all twenty by the same one would be odds of one in half a million. */
const bothRouters = (is: (state: PolicyState) => boolean) =>
  eventually(async () => (await Promise.all(Array.from({ length: 20 }, () => askForPolicy(bus.messenger)))).every(is));

let asked = 0;
const ask = async (url: string, headers: Readonly<Record<string, string>> = {}) => {
  const id = `asked-${++asked}`;
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': id, ...headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: `what is ${id}` }] }),
  });
  await response.text();
  return { id, status: response.status, arm: response.headers.get('x-switchyard-arm'), cache: response.headers.get('x-switchyard-cache') };
};

/** The whole log, message by message. */
const entries = async (): Promise<
  readonly { readonly sequence: number; readonly storedAtMs: number; readonly events: readonly SwitchyardEvent[] }[]
> => {
  const read: { sequence: number; storedAtMs: number; events: readonly SwitchyardEvent[] }[] = [];
  for await (const entry of bus.log.read({ from: sequence(1) }))
    read.push({ sequence: entry.sequence, storedAtMs: entry.storedAtMs, events: entry.kind === 'events' ? entry.events : [] });
  return read;
};

const isDecision = (event: SwitchyardEvent): event is EventOf<'route.decided'> => event.type === 'route.decided';
const decisionsIn = (log: Awaited<ReturnType<typeof entries>>) => log.flatMap(({ events }) => events.filter(isDecision));

/** Each decision, repeated on the state at its sequence; and whether the lots of that state gave it to its policy. */
const disagreements = (log: Awaited<ReturnType<typeof entries>>): readonly unknown[] => {
  const bySequence = Map.groupBy(decisionsIn(log), ({ data }) => Number(data.stateSequence));
  const state: RouterState = emptyRouterState();
  const found: unknown[] = [];
  const check = () => {
    for (const event of bySequence.get(state.sequence) ?? []) {
      const { data, tenant, correlationid } = event;
      const again = recompute(data, tenant, state);
      if (again.kind === 'different') found.push({ correlationid, ...again });
      const canary = runningCanary(state);
      const key = data.conversation?.id ?? `${tenant}:${correlationid}`;
      const expected = canary !== null && isOfCanary(canary.event, key);
      if (data.policy.canary !== expected || data.policy.trial !== (canary?.event.change ?? null)) found.push({ correlationid, expected });
    }
  };
  check();
  for (const entry of log) {
    evolveRouter(state, entry);
    check();
  }
  return found;
};

it('a failing canary is taken back by itself, and decisions go back to the policy in force', async () => {
  const started = await policy('canary', policyFile(only('bad', { flaky: 1 })), '--share', '0.2', '--min-requests', '20');
  expect(started).toMatchObject({ inForce: { id: 'first' }, canary: { id: 'bad' } });
  await eventually(async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask(i % 2 === 0 ? yard.httpUrl : other.httpUrl)));
    return (await askForPolicy(bus.messenger)).canary === null;
  });
  await bothRouters(({ canary }) => canary === null);
  const shown = await policy('show');
  expect(shown).toMatchObject({ inForce: { policy: { id: 'first' } }, canary: null });
  const after = await Promise.all(Array.from({ length: 30 }, () => ask(yard.httpUrl)));
  expect(after.map(({ status, arm }) => [status, arm])).toEqual(after.map(() => [200, 'sound']));

  const log = await entries();
  expect(disagreements(log)).toEqual([]);
  const ended = log.flatMap(({ events }) => events.filter((event) => event.type === 'policy.canary_ended'));
  expect(ended).toHaveLength(1);
  expect(ended[0]?.data).toMatchObject({ policy: { id: 'bad' }, evidence: { quantity: 'errors' } });
  const ofCanary = decisionsIn(log).filter(({ data }) => data.policy.canary);
  expect(ofCanary.length).toBeGreaterThanOrEqual(20);
});

describe('a canary that does well', () => {
  it('is promoted by hand, and a restart keeps it', async () => {
    await policy('canary', policyFile(only('better', { twin: 1 })), '--share', '0.5');
    const promoted = await policy('promote');
    expect(promoted).toMatchObject({ inForce: { id: 'better' }, canary: null });
    const [message] = (await entries()).filter(({ events }) =>
      events.some((event) => event.type === 'policy.canary_ended' && event.data.outcome === 'promoted'),
    );
    expect(message?.events.map(({ type }) => type)).toEqual(['policy.canary_ended', 'policy.activated']);

    const before = yard.pid('worker');
    yard.kill9('worker');
    await eventually(() => yard.pid('worker') !== before);
    await yard.ready();
    expect(await ask(yard.httpUrl)).toMatchObject({ status: 200, arm: 'twin' });
    expect(await policy('show')).toMatchObject({ inForce: { policy: { id: 'better' }, origin: 'promotion' } });
    expect(disagreements(await entries())).toEqual([]);
  });

  it('is in the history, with how the one before ended', async () => {
    const { inForce } = (await policy('show')) as { inForce: { change: number } };
    const changes = await eventually(async () => {
      const { changes: seen } = (await policy('show', '--limit', '5')) as {
        changes: { change: number; what: string; policy: string; outcome: string }[];
      };
      return seen[0]?.change === inForce.change && seen;
    });
    expect(changes.map(({ what, policy: id, outcome }) => [what, id, outcome])).toEqual([
      ['activated', 'better', ''],
      ['canary ended', 'better', 'promoted'],
      ['canary started', 'better', ''],
      ['canary ended', 'bad', 'rolled-back'],
      ['canary started', 'bad', ''],
    ]);
    const { status, stdout } = await runCli(['policy', 'show', '--config', yard.settings.file ?? '']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^in force: better [0-9a-f]{16}, static by promotion, change \d+$/m);
    expect(stdout).toContain('rolled-back: failures');
  });
});

it('a hot swap under load fails no request, and both workers agree at every sequence', async () => {
  const load = await startLoad(yard, { concurrency: 8, prefix: 'swap' });
  // The callers over NATS reach both workers, those over HTTP the first; the second gets some over HTTP too.
  const stop = new AbortController();
  const second: Promise<{ readonly status: number }[]> = (async () => {
    const told = [];
    while (!stop.signal.aborted) told.push(await ask(other.httpUrl));
    return told;
  })();
  const decidedByBoth = (id: string) =>
    eventually(async () => {
      const decisions = decisionsIn(await entries()).filter(({ data }) => data.policy.id === id);
      return new Set(decisions.map(({ data }) => data.host)).size === 2;
    });
  await eventually(() => load.sent() > 100);
  const swapped = await policy('activate', policyFile(only('second', { twin: 1 })));
  expect(swapped).toMatchObject({ inForce: { id: 'second' }, canary: null });
  await decidedByBoth('second');
  await policy('activate', policyFile({ kind: 'contextual-thompson', id: 'learning', floor: 0.05 }));
  await decidedByBoth('learning');
  await policy('activate', policyFile(only('third', { sound: 0.5, twin: 0.5 })));
  await decidedByBoth('third');
  const last = load.sent();
  await eventually(() => load.sent() > last + 50);
  const told = await load.stop();
  stop.abort();
  // The flaky arm is among those that the learning policy tries: its failures are the provider's.
  const failures = told.filter(
    ({ error, answers }) => (error !== null && error !== 'provider_error') || (error === null && answers.length === 0),
  );
  expect(failures).toEqual([]);
  expect((await second).filter(({ status }) => status !== 200 && status !== 502)).toEqual([]);

  const log = await entries();
  expect(disagreements(log)).toEqual([]);
  const decisions = decisionsIn(log);
  expect([...new Set(decisions.map(({ data }) => data.policy.id))]).toEqual(['first', 'bad', 'better', 'second', 'learning', 'third']);
  for (const { data } of decisions.filter((one) => one.data.policy.id === 'second')) expect(data.arm).toBe('twin');
});

it('a conversation stays with its policy and its arm, whichever worker is asked', async () => {
  await policy(
    'activate',
    policyFile({ kind: 'beta-bernoulli-thompson', id: 'sticky', floor: 0, trial: { requests: 0, share: 0 }, switchingCost: 1 }),
  );
  await policy('canary', policyFile(only('half', { sound: 1 })), '--share', '0.5');
  await bothRouters(({ canary }) => canary?.policy.id === 'half');
  const conversations = Array.from({ length: 12 }, (_, i) => `chat-${i}`);
  for (let turn = 0; turn < 6; turn++)
    for (const [i, conversation] of conversations.entries()) {
      const { status } = await ask((turn + i) % 2 === 0 ? yard.httpUrl : other.httpUrl, { 'x-switchyard-conversation': conversation });
      // The flaky arm is one of three, and a conversation that began with it stays with it.
      expect([200, 502]).toContain(status);
    }
  const log = await entries();
  expect(disagreements(log)).toEqual([]);
  const byConversation = Map.groupBy(
    decisionsIn(log).filter(({ data }) => data.conversation !== null),
    ({ data }) => data.conversation?.id ?? '',
  );
  expect(byConversation.size).toBe(conversations.length);
  const sides = [...byConversation.values()].map((turns) => new Set(turns.map(({ data }) => data.policy.canary)));
  expect(sides.map(({ size }) => size)).toEqual(conversations.map(() => 1));
  expect(new Set(sides.map((side) => [...side][0])).size).toBe(2);
  const said: { readonly sequence: number; readonly conversation: string; readonly arm: string }[] = [];
  for (const { sequence: at, events } of log)
    for (const { data } of events.filter(isDecision)) {
      if (data.conversation === null) continue;
      const { id, previousArm } = data.conversation;
      const known = said.findLast(({ conversation, sequence: place }) => conversation === id && place <= data.stateSequence);
      expect(previousArm).toBe(known?.arm ?? null);
      const canStay = data.candidates.some(({ arm }) => arm === previousArm);
      if (canStay && !data.policy.canary) expect(data.arm).toBe(previousArm);
      said.push({ sequence: at, conversation: id, arm: data.arm });
    }
  // By the last turn every worker has long read of the first.
  for (const turns of byConversation.values()) expect(turns.at(-1)?.data.conversation?.previousArm).not.toBeNull();
  expect(JSON.stringify(log)).not.toContain('chat-3');
});

it('the cache does not ask for the conversation', async () => {
  const question = (conversation: string) =>
    fetch(`${yard.httpUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-switchyard-conversation': conversation },
      body: JSON.stringify({ model: 'sound', messages: [{ role: 'user', content: 'the same in all conversations' }] }),
    });
  expect((await question('one')).headers.get('x-switchyard-cache')).toBe('miss');
  // Some moments later: the cache learns of an answer from the log.
  await eventually(async () => (await question('two')).headers.get('x-switchyard-cache') === 'hit');
});
