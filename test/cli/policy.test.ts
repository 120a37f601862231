import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startActors, type TestActors } from '../actors/support/actors.ts';
import { canaryEnded, makeEvent, sequence, systemTenant } from '../../src/events/index.ts';
import { startSqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { append, memoryBus, openShaped, project } from '../support/projection.ts';
import { runCli, stackTrace, testFolder, type TestFolder } from './support/cli.ts';

/** `policy` against the actors of a worker over a real nats-server; ClickHouse is away. */
let nats: TestNats;
let folder: TestFolder;
let actors: TestActors;

beforeAll(async () => {
  nats = await startTestNats();
  folder = testFolder({ nats: { url: nats.url } });
  actors = await startActors({ bus: await connectTestBus(nats.url) });
});

afterAll(async () => {
  await actors.close();
  await actors.bus.close();
  await nats.stop();
  folder.remove();
});

const file = (name: string, text: string): string => {
  const at = path.join(folder.path, name);
  writeFileSync(at, text);
  return at;
};
const policy = (...args: readonly string[]) => runCli(['policy', ...args, '--config', folder.config]);
const json = async (...args: readonly string[]) => {
  const { status, stdout, stderr } = await policy(...args, '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
};
const greedy = () => file('greedy.yaml', 'kind: epsilon-greedy\nid: greedy\n');

describe('policy', () => {
  it('show says what is in force, and that ClickHouse cannot tell the changes', async () => {
    const { status, stdout, stderr } = await policy('show');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^in force: thompson [0-9a-f]{16}, contextual-thompson by configuration, change 1$/m);
    expect(stdout).toMatch(/^canary: {3}none$/m);
    expect(stderr).toMatch(/^the changes before are not shown: /);
    const { status: status2, stdout: told } = await policy('show', '--json');
    expect(status2).toBe(0);
    expect(JSON.parse(told)).toMatchObject({ inForce: { change: 1, spec: { kind: 'contextual-thompson' } }, canary: null, changes: null });
  });

  it('activate, canary, withdraw, promote', async () => {
    expect(await json('activate', greedy())).toMatchObject({ change: 2, inForce: { id: 'greedy' }, canary: null });
    const fixed = file('fixed.json', '{"kind":"static","id":"fixed","shares":{"arm-a":0.25,"arm-b":0.75}}');
    expect(await json('canary', fixed, '--share', '0.1')).toMatchObject({ change: 3, inForce: { id: 'greedy' }, canary: { id: 'fixed' } });
    const { stdout } = await policy('show');
    expect(stdout).toMatch(/^canary: {3}fixed [0-9a-f]{16}, static for 10 % of the requests, change 3$/m);
    expect(stdout).toContain('not judged yet: 0 and 0 of 50 requests on each side');
    expect(await json('withdraw')).toMatchObject({ change: 4, inForce: { id: 'greedy' }, canary: null });
    await json('canary', fixed, '--share', '.5', '--confidence', '0.99', '--min-requests', '200', '--cost-margin', '1');
    expect(await json('promote')).toMatchObject({ change: 7, inForce: { id: 'fixed' }, canary: null });
  });

  it('changes that are made at the same moment follow each other', async () => {
    const { inForce } = JSON.parse((await policy('show', '--json')).stdout) as { inForce: { change: number } };
    const told = await Promise.all(
      [1, 2, 3].map((i) => json('activate', file(`at-once-${i}.yaml`, `kind: epsilon-greedy\nid: at-once-${i}\n`))),
    );
    const { inForce: last } = JSON.parse((await policy('show', '--json')).stdout) as { inForce: { change: number } };
    expect(last.change).toBe(inForce.change + 3);
    expect(new Set(told.map(({ sequence }) => sequence)).size).toBe(3);
  });
});

describe('show, with ClickHouse', () => {
  it('tells why a canary was taken back, whole, in dollars', async () => {
    const reason = `cost: $0.002789487 in 118 requests against ${'$0.001 and so on, '.repeat(20)}the margin $0.0001`;
    const data = mkdtempSync(path.join(tmpdir(), 'yard-policy-'));
    const clickhouse = await openShaped(data);
    const bus = memoryBus();
    await append(bus.log, [
      makeEvent(
        canaryEnded,
        { tenant: systemTenant, requestId: 'policy', source: 'switchyard/test', timeMs: Date.UTC(2026, 0, 1) },
        { policy: { id: 'dear', version: 'v2' }, change: 3, outcome: 'rolled-back', reason, evidence: null, stateSequence: sequence(0) },
      ),
    ]);
    await project(clickhouse, bus);
    const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e7 };
    const answer = await createSandbox({ path: data, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
    const server = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
    try {
      const { status, stdout } = await policy('show', '--sql-url', server.url);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^ +3 +2026-01-01T00:00:00Z +1 +canary ended +dear v2 +rolled-back$/m);
      expect(stdout).toContain(`\nchange 3, rolled-back: ${reason}\n`);
    } finally {
      await server.close();
      await clickhouse.close();
      rmSync(data, { recursive: true, force: true });
    }
  });
});

describe('a mistake changes nothing and is told', () => {
  it.each([
    ['no such file', ['activate', 'none.yaml'], 2, 'no such file'],
    ['an unknown arm', ['activate', 'unknown-arm.yaml'], 2, 'shares.arm-c (line 2): expected an arm of the yard; did you mean arm-a?'],
    [
      'shares that do not sum',
      ['canary', 'sum.yaml', '--share', '0.1'],
      2,
      'shares (line 2): expected shares that sum to 1, to the millionth, got 0.9',
    ],
    ['no kind', ['activate', 'no-kind.yaml'], 2, 'kind: expected one of static, epsilon-greedy'],
    ['no canary to promote', ['promote'], 2, 'no canary runs'],
    ['no canary to withdraw', ['withdraw'], 2, 'no canary runs'],
    ['a share of nothing', ['canary', 'sum.yaml', '--share', '0'], 2, 'Expected a number from 0.001 to 0.9'],
    ['a share of next to nothing', ['canary', 'sum.yaml', '--share', '1e-9'], 2, 'Expected a number from 0.001 to 0.9'],
    ['a share of all', ['canary', 'sum.yaml', '--share', '1'], 2, 'Expected a number from 0.001 to 0.9'],
    [
      'a canary like the policy in force',
      ['canary', 'like.yaml', '--share', '5e-1'],
      2,
      'expected another policy than the one in force, got the same: ',
    ],
    ['no share', ['canary', 'sum.yaml'], 2, "required option '--share <share>' not specified"],
    ['a guard that looks at once', ['canary', 'sum.yaml', '--share', '.1', '--min-requests', '1'], 2, 'Expected a whole number from 10'],
    ['certainty', ['canary', 'sum.yaml', '--share', '.1', '--confidence', '1'], 2, 'Expected a number from 0.5 to 0.9999'],
  ])('%s', async (_what, args, code, expected) => {
    file('unknown-arm.yaml', 'kind: static\nshares: { arm-c: 1 }\n');
    file('sum.yaml', 'kind: static\nshares: { arm-a: 0.5, arm-b: 0.4 }\n');
    file('no-kind.yaml', 'kid: static\n');
    const { inForce } = JSON.parse((await policy('show', '--json')).stdout) as { inForce: { spec: object } };
    file('like.yaml', JSON.stringify(inForce.spec));
    const before = await actors.bus.log.bounds();
    const given = args.map((arg) => (arg.endsWith('.yaml') ? path.join(folder.path, arg) : arg));
    const { status, stdout, stderr } = await policy(...given);
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(stackTrace);
    expect({ status, stdout }).toEqual({ status: code, stdout: '' });
    expect((await actors.bus.log.bounds()).last).toBe(before.last);
  });

  it('nobody there: exit code 3', async () => {
    const { status, stderr } = await policy('show', '--nats-url', 'nats://127.0.0.1:1');
    expect(status).toBe(3);
    expect(stderr).toContain('expected NATS at nats://127.0.0.1:1');
  });
});
