import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveActor } from '../../src/actors/remote.ts';
import { routerCommandSchema } from '../../src/actors/router.ts';
import type { Bus } from '../../src/bus/bus.ts';
import { summaryOf } from '../../src/domain/routing/summary.ts';
import { snapshotFromLog } from '../../src/projections/state.ts';
import { startProjector, type RunningProjector } from '../../src/projections/start-projector.ts';
import { eventually } from '../support/eventually.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { testSettings } from '../support/settings.ts';
import { jsonLines, runCli, stackTrace, testFolder, type TestFolder } from './support/cli.ts';
import { reward, stored } from './support/events.ts';

/** `reconcile`, `rebuild`, `sql` and `status` beside the real projector: real log, real engine, the real read-only interface. */
let nats: TestNats;
let bus: Bus;
let folder: TestFolder;
let projector: RunningProjector;
const messages = 30;

beforeAll(async () => {
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
  folder = testFolder({ nats: { url: nats.url } });
  for (let i = 1; i <= messages; i++) await append(i);
  const settings = testSettings({ dataDir: path.join(folder.path, 'data'), clickhouse: { port: 0 } });
  projector = await startProjector({ bus, settings, logger: pino({ level: 'silent' }) });
  await projected(messages);
});

afterAll(async () => {
  await projector.close();
  await bus.close();
  await nats.stop();
  folder.remove();
});

const append = (i: number) => {
  const place = { request: `request-${i}` };
  return bus.log.append([reward(i % 3 === 0 ? 'arm-b' : 'arm-a', 1_000 * i, place), stored('arm-a', place)], { idempotencyId: `id-${i}` });
};

const projected = (sequence: number) => eventually(() => projector.status().checkpoint === sequence);

const cli = (...args: string[]) => runCli([...args, '--config', folder.config]);
const sqlUrl = () => projector.sqlUrl ?? '';
/** With where the engine answers, so that its projector can be told from others. */
const beside = (...args: string[]) => cli(...args, '--sql-url', sqlUrl());

describe('beside the real projector', () => {
  it('reconcile finds no difference: exit code 0', async () => {
    const [people, programs] = await Promise.all([beside('reconcile'), beside('reconcile', '--from', '5', '--to', '9', '--json')]);
    expect({ status: people.status, stderr: people.stderr }).toEqual({ status: 0, stderr: '' });
    expect(people.stdout).toMatch(new RegExp(`^ *1 +${messages} +${2 * messages} +${2 * messages} +0 +0 +0 +0$`, 'm'));
    expect(people.stdout).toContain('ClickHouse holds what the log says');
    expect(jsonLines(programs.stdout)).toMatchObject([{ from: 5, to: 9, rowsOfLog: 10, rowsOfTable: 10, equal: true, examples: [] }]);
  });

  it.each([
    ['--from 99999999', `from sequence 99999999, got none: the log holds 1 to ${messages}, ClickHouse has what was before ${messages + 1}`],
    ['--from 2130-01-01 --json', 'from 2130-01-01T00:00:00.000Z, got none: the log holds 1 to'],
    ['--to 2020-01-01', 'to 2020-01-01T00:00:00.000Z, got none: the log holds 1 to'],
    // As a range that has left the log.
    ['--from 0 --to 0', 'from sequence 0 to sequence 0, got none: the log holds 1 to'],
    ['--from 9 --to 5', 'expected --from to be before --to; got --from sequence 9 and --to sequence 5'],
  ])('reconcile does not pass with nothing compared: %s', async (range, expected) => {
    const { status, stdout, stderr } = await cli('reconcile', ...range.split(' '));
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(stackTrace);
  });

  it('reconcile of a log that nothing was written to says so: exit code 0, unless a range was asked for', async () => {
    const fresh = await startTestNats();
    const freshFolder = testFolder({ nats: { url: fresh.url } });
    const other = fork(path.join(import.meta.dirname, '../support/projector-process.ts'), [fresh.url, path.join(freshFolder.path, 'data')]);
    const exited = once(other, 'exit');
    await Promise.race([once(other, 'message'), exited.then(() => Promise.reject(new Error('the projector ended')))]);
    try {
      const run = (...args: string[]) => runCli(['reconcile', '--config', freshFolder.config, ...args]);
      const [all, range] = await Promise.all([run(), run('--from', '1')]);
      expect(all).toMatchObject({ status: 0, stdout: '' });
      expect(all.stderr).toMatch(/^nothing to compare: the log is empty$/m);
      expect(range.status).toBe(2);
      expect(range.stderr).toContain('the log is empty, ClickHouse has none of it yet');
    } finally {
      other.kill('SIGKILL');
      await exited;
      await fresh.stop();
      freshFolder.remove();
    }
  });

  it('rebuild adds the tail of the log to the sums of ClickHouse, and is equal to a fold of the log alone', async () => {
    const summary = summaryOf(await snapshotFromLog(bus.log));
    const live = serveActor(bus.messenger, 'router', routerCommandSchema, () => ({ kind: 'state', summary }));
    await live.ready;
    try {
      const [both, alone, past] = await Promise.all([
        cli('rebuild', '--json', '--sql-url', sqlUrl()),
        cli('rebuild', '--json', '--log-alone'),
        cli('rebuild', '--json', '--sql-url', sqlUrl(), '--at', '12'),
      ]);
      expect(both.stderr).toBe('');
      const equal = { verdict: 'equal' };
      expect(jsonLines(both.stdout)).toMatchObject([
        { sequence: messages, from: 'clickhouse', clickhouseSequence: messages, entriesRead: 0, comparedWith: { live: equal, log: equal } },
      ]);
      expect(jsonLines(alone.stdout)).toMatchObject([
        { sequence: messages, from: 'log', entriesRead: messages, comparedWith: { live: equal } },
      ]);
      expect(jsonLines(past.stdout)).toMatchObject([
        {
          sequence: 12,
          clickhouseSequence: 12,
          comparedWith: { live: { verdict: 'not-compared' } },
          arms: [
            { arm: 'arm-a', all: { trials: 8 } },
            { arm: 'arm-b', all: { trials: 4 } },
          ],
        },
      ]);
    } finally {
      await live.close();
    }
  });

  it('sql asks the views of the migrations', async () => {
    const { status, stdout } = await cli(
      'sql',
      'SELECT count() AS n, sum(evidence_trials) AS trials FROM rewards',
      '--json',
      '--sql-url',
      sqlUrl(),
    );
    expect(status).toBe(0);
    expect(jsonLines(stdout).map((row) => Object.values(row as object).map(Number))).toEqual([[messages, messages]]);
  });

  it('status says how far the projection is', async () => {
    const { status, stdout } = await beside('status', '--json');
    // The gateway is not there: a part is not ready, others are.
    expect(status).toBe(1);
    expect(jsonLines(stdout)).toMatchObject([{ ready: false, projection: { state: 'following', checkpoint: messages, lagMessages: 0 } }]);
    const people = await beside('status');
    expect(people.stdout).toMatch(/^projector +ready +following, 0 messages \(0\.0 ms\) behind$/m);
  });

  it('reconcile shows rows that are not there yet as missing: exit code 1', async () => {
    await projector.close();
    const settings = testSettings({ dataDir: path.join(folder.path, 'data'), clickhouse: { port: 0 }, projector: { batchWaitMs: 60_000 } });
    projector = await startProjector({ bus, settings, logger: pino({ level: 'silent' }) });
    await projected(messages);
    await append(messages + 1);
    const { status, stdout } = await cli('reconcile', '--from', '30', '--to', '31');
    expect(status).toBe(1);
    expect(stdout).toMatch(/^ *30 +31 +4 +2 +2 +0 +0 +0$/m);
    expect(stdout).toMatch(/^#31\.0 +missing/m);
  });
});
