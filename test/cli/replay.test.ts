import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Bus } from '../../src/bus/bus.ts';
import { sequence, type NonEmpty, type SwitchyardEvent } from '../../src/events/index.ts';
import type { PolicySpecInput } from '../../src/events/schemas/policy.ts';
import { decidedLog, isDecision, yardConfig } from '../replay/support/decided-log.ts';
import { eventually } from '../support/eventually.ts';
import { connectTestBus, startTestNats, testBusConfig, type TestNats } from '../support/nats.ts';
import { jsonLines, runCli, stackTrace, testFolder, type TestFolder } from './support/cli.ts';

/** `replay` over a real log that routers made; one of the tests writes into a second log what nobody decided so. */
let nats: TestNats;
let bus: Bus;
let folder: TestFolder;
let tampered: { readonly nats: TestNats; readonly at: number };
let last: number;
let decisions: number;

const copyInto = async (target: Bus, messages: readonly NonEmpty<SwitchyardEvent>[]) => {
  for (const [i, events] of messages.entries()) await target.log.append(events, { idempotencyId: `copy-${i}` });
};

beforeAll(async () => {
  // Made in memory, where two processes take a second; then it stands in a real one, message by message.
  const made = await decidedLog(60);
  const messages: NonEmpty<SwitchyardEvent>[] = [];
  for await (const entry of made.log.read({ from: sequence(1) })) if (entry.kind === 'events') messages.push(entry.events);
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
  await copyInto(bus, messages);
  last = messages.length;
  decisions = messages.flat().filter(isDecision).length;
  folder = testFolder({ ...yardConfig, nats: { url: nats.url } });

  const other = await startTestNats();
  const otherBus = await connectTestBus(other.url);
  const at = messages.findIndex((events, i) => i > last / 2 && events.some(isDecision));
  await copyInto(
    otherBus,
    messages.map((events, i) =>
      i === at
        ? (events.map((event) =>
            isDecision(event) ? { ...event, data: { ...event.data, propensity: event.data.propensity / 2 } } : event,
          ) as unknown as NonEmpty<SwitchyardEvent>)
        : events,
    ),
  );
  await otherBus.close();
  tampered = { nats: other, at: at + 1 };
});

afterAll(async () => {
  await bus.close();
  await nats.stop();
  await tampered.nats.stop();
  folder.remove();
});

const replay = (...args: readonly string[]) => runCli(['replay', '--log-alone', '--config', folder.config, ...args]);

const policyFile = (spec: PolicySpecInput | Record<string, unknown>): string => {
  const file = path.join(folder.path, `policy-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(file, stringify(spec));
  return file;
};

describe('replay', () => {
  it('decides every request of the log again: exit code 0', async () => {
    const [people, programs] = await Promise.all([replay(), replay('--json')]);
    expect({ status: people.status, stderr: people.stderr }).toEqual({ status: 0, stderr: '' });
    expect(people.stdout).toContain('every decision comes out the same');
    expect(jsonLines(programs.stdout)).toMatchObject([
      {
        period: { from: 1, to: last, firstDecidedAt: expect.any(String) as string },
        tenant: null,
        state: { sequence: 0, from: 'log', missing: 0 },
        decisions,
        equal: decisions,
        different: 0,
        unchecked: 0,
        byReason: { code: 0, tampered: 0 },
        examples: [],
      },
    ]);
  });

  it('of a period and a tenant', async () => {
    const { status, stdout } = await replay('--from', '50', '--to', '150', '--tenant', 'acme', '--json');
    expect(status).toBe(0);
    const [report] = jsonLines(stdout) as readonly { readonly decisions: number; readonly period: object }[];
    expect(report).toMatchObject({ period: { from: 50, to: 150 }, tenant: 'acme', different: 0 });
    expect(report?.decisions).toBeGreaterThan(3);
    expect(report?.decisions).toBeLessThan(60);
  });

  it('finds a propensity that was changed in the log, and writes it down: exit code 1', async () => {
    const out = path.join(folder.path, 'differences.jsonl');
    const at = ['--nats-url', tampered.nats.url];
    const [people, programs] = await Promise.all([replay(...at), replay(...at, '--json', '--out', out, '--limit', '0')]);
    expect(people.status).toBe(1);
    expect(people.stdout).toMatch(new RegExp(`^#${tampered.at} .*tampered: the record contradicts itself: the propensity is`, 'm'));
    expect(programs.status).toBe(1);
    expect(jsonLines(programs.stdout)).toMatchObject([{ different: 1, byReason: { tampered: 1 }, examples: [] }]);
    expect(jsonLines(readFileSync(out, 'utf8'))).toMatchObject([
      { sequence: tampered.at, kind: 'different', reason: 'tampered', differences: expect.any(Array) as unknown[] },
    ]);
  });

  it('notes where a period is longer than the log, and decides what there is', async () => {
    const { status, stderr } = await replay('--from', '1', '--to', '999999');
    expect({ status, stderr }).toEqual({ status: 0, stderr: `the log ends at ${last}: so does the period\n` });
  });

  it.each([
    ['--from 200000', 'expected a place in the log, which ends at'],
    ['--from 100 --to 50', 'expected --from to be before --to; got --from sequence 100 and --to sequence 50'],
    ['--from 200000 --to 5', 'expected --from to be before --to; got --from sequence 200000 and --to sequence 5'],
    ['--to 2020-01-01', '--to: expected a place in the log, which begins at 1; got one before it'],
    ['--from 1 --to 1', 'expected at least one decision from 1 to 1, got none'],
    ['--tenant nobody', '--tenant: expected a tenant with decisions'],
    ['--tenant acm', 'perhaps "acme" is meant'],
    ['--from-scratch', '--from-scratch: expected together with --policy'],
    ['--learn matched', '--learn: expected together with --policy'],
    ['--force', '--force: expected together with --out'],
    ['--learn sometimes', 'Allowed choices are logged, matched'],
    ['--policy /nowhere.yaml', 'no such file'],
    ['--out /dev/null/out.jsonl', 'expected a folder'],
  ])('refuses %s', async (args, expected) => {
    const { status, stdout, stderr } = await replay(...args.split(' '));
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(stackTrace);
  });

  it('says that an empty log is empty', async () => {
    const empty = await startTestNats();
    const emptyBus = await connectTestBus(empty.url);
    try {
      const { status, stderr } = await replay('--nats-url', empty.url);
      expect(status).toBe(2);
      expect(stderr).toContain('expected a log with decisions in it, got one that is empty');
    } finally {
      await emptyBus.close();
      await empty.stop();
    }
  });

  it('does without ClickHouse, and says so', async () => {
    const { status, stderr } = await runCli(['replay', '--config', folder.config, '--from', '1', '--to', '60']);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^ClickHouse cannot be asked, the log alone is read: expected ClickHouse at .*, got a refused connection; .+\n$/,
    );
  });
});

/** A log whose begin, with the policy in it, has aged out: made with messages that live for a second, then kept. */
describe('replay --log-alone of a log that has lost its begin', () => {
  let aged: TestNats;
  let lost: number;

  beforeAll(async () => {
    const messages: NonEmpty<SwitchyardEvent>[] = [];
    for await (const entry of bus.log.read({ from: sequence(1) })) if (entry.kind === 'events') messages.push(entry.events);
    lost = messages.findIndex((events) => events.some(isDecision));
    const end = messages.findIndex((events, i) => i > lost && events.some(({ type }) => type === 'policy.activated'));
    aged = await startTestNats();
    const secondInDays = 1 / 86_400;
    const withLog = (log: Partial<(typeof testBusConfig)['log']>) =>
      connectTestBus(aged.url, { config: { ...testBusConfig, log: { ...testBusConfig.log, ...log } } });
    const brief = await withLog({ maxAgeDays: secondInDays, duplicateWindowSeconds: 1 });
    await copyInto(brief, messages.slice(0, lost));
    await eventually(async () => (await brief.log.bounds()).first > lost);
    await brief.close();
    const kept = await withLog({});
    for (const [i, events] of messages.slice(lost, end).entries()) await kept.log.append(events, { idempotencyId: `kept-${i}` });
    await kept.close();
  });
  afterAll(() => aged.stop());

  const run = (...args: readonly string[]) => replay('--nats-url', aged.url, ...args);

  it('with another policy, of which no arms are known: exit code 1, and nothing is claimed', async () => {
    const policy = policyFile({ kind: 'epsilon-greedy' });
    const [people, programs] = await Promise.all([run('--policy', policy), run('--policy', policy, '--learn', 'matched', '--json')]);
    expect(people.status).toBe(1);
    expect(people.stdout).toMatch(/it could make none of the \d+ decisions/);
    expect(people.stdout).not.toContain('learned from');
    expect(people.stderr).toMatch(
      new RegExp(
        `^${lost} messages up to ${lost} are not in the log any more, and ClickHouse, which may remember them, is left out \\(--log-alone\\)`,
      ),
    );
    expect(people.stderr).not.toContain('is not there');
    expect(people.stderr).toMatch(/what is read of the log names no policy before \d+ decisions.*leave out --log-alone/);
    expect(programs.status).toBe(1);
    expect(programs.stderr).not.toContain('it learned from');
    const [report] = jsonLines(programs.stdout) as readonly { readonly decisions: number; readonly undecided: object }[];
    expect(report?.decisions).toBeGreaterThan(3);
    expect(report).toMatchObject({ learned: 0, undecided: { 'no-policy': report?.decisions } });
  });
});

describe('replay --policy', () => {
  it('lets another policy decide, and writes each of its decisions', async () => {
    const out = path.join(folder.path, 'decisions.jsonl');
    const { status, stdout, stderr } = await replay(
      '--policy',
      policyFile({ kind: 'beta-bernoulli-thompson', id: 'other' }),
      '--out',
      out,
      '--json',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(jsonLines(stdout)).toMatchObject([
      {
        policy: { id: 'other', kind: 'beta-bernoulli-thompson' },
        learn: 'logged',
        fromScratch: false,
        seed: '1',
        decisions,
        learned: decisions,
        unreadable: 0,
        out,
      },
    ]);
    const lines = jsonLines(readFileSync(out, 'utf8')) as readonly { readonly propensities: readonly number[] }[];
    expect(lines).toHaveLength(decisions);
    for (const line of lines) {
      expect(line).toMatchObject({
        id: expect.any(String) as string,
        sequence: expect.any(Number) as number,
        featuresVersion: 2,
        loggedArm: expect.any(String) as string,
        loggedPropensity: expect.any(Number) as number,
        arms: expect.any(Array) as string[],
        draw: expect.any(Number) as number,
        matched: expect.any(Boolean) as boolean,
      });
      expect(line.propensities.reduce((sum, propensity) => sum + propensity, 0)).toBeCloseTo(1, 9);
    }
  });

  it('learns from matches alone when told to, and says how few they are', async () => {
    const { status, stdout, stderr } = await replay(
      '--policy',
      policyFile({ kind: 'epsilon-greedy' }),
      '--learn',
      'matched',
      '--from-scratch',
      '--seed',
      'x',
      // Ids are new in each run, and draws with them: of 60 records three or more are accepted less than once in a thousand runs.
      '--acceptance',
      '0.0001',
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/it learned from [\d,]+ of [\d,]+ records/);
    expect(stdout).toContain('the records that its own draw agrees with');
    expect(stdout).toMatch(/^a +[\d.]+ % +[\d.]+ %$/m);
  });

  it('refuses a policy with an arm that the log never offered, and says which there were', async () => {
    const { status, stderr } = await replay('--policy', policyFile({ kind: 'static', shares: { a: 0.5, huge: 0.5 } }));
    expect(status).toBe(2);
    expect(stderr).toContain('"huge"');
    expect(stderr).toContain('The arms of the period are a, b, c; of any other the log says nothing.');
    expect(stderr).not.toMatch(stackTrace);
  });

  it('refuses what is no policy', async () => {
    const { status, stderr } = await replay('--policy', policyFile({ kind: 'best' }));
    expect(status).toBe(2);
    expect(stderr).toContain('kind');
  });

  it('does not write over a file unless told to, and leaves none that is not whole', async () => {
    const out = path.join(folder.path, 'kept.jsonl');
    writeFileSync(out, 'mine');
    const policy = policyFile({ kind: 'epsilon-greedy' });
    const refused = await replay('--policy', policy, '--out', out);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('--force');
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect((await replay('--policy', policy, '--out', out, '--force')).status).toBe(0);
    expect(jsonLines(readFileSync(out, 'utf8'))).toHaveLength(decisions);

    const broken = path.join(folder.path, 'broken.jsonl');
    expect((await replay('--policy', policyFile({ kind: 'static', shares: { huge: 1 } }), '--out', broken)).status).toBe(2);
    expect(existsSync(broken)).toBe(false);
    expect(readdirSync(folder.path).filter((name) => name.includes('.partial'))).toEqual([]);
  });
});
