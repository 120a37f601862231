import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { jsonLines, runCli, stackTrace, startCli, testFolder, type Ended, type Running, type TestFolder } from './support/cli.ts';

/** The whole product, as a user runs it: `up`, and every other command beside it. */
let folder: TestFolder;
let yard: Running;

beforeAll(async () => {
  folder = testFolder({ http: { port: 0 }, nats: { port: 0 }, clickhouse: { port: 0 } });
  yard = startCli(['up', '--json', '--config', folder.config]);
  await yard.said('"httpUrl"');
});

afterAll(async () => {
  yard.child.kill('SIGTERM');
  await yard.ended;
  folder.remove();
});

const cli = (...args: string[]): Promise<Ended> => runCli([...args, '--config', folder.config]);

describe('a running yard', () => {
  it('is found by every command without an address', async () => {
    const first = await cli('chat', 'how many legs', '--json', '--request-id', 'order-17');
    expect(first.stderr).toBe('');
    expect(jsonLines(first.stdout)).toMatchObject([{ requestId: 'order-17', simulated: true, repeated: false, cache: 'miss' }]);
    const again = await cli('chat', 'how many legs', '--json', '--request-id', 'order-17');
    expect(jsonLines(again.stdout)).toMatchObject([{ requestId: 'order-17', repeated: true }]);

    const events = await cli('events', '--request', 'order-17', '--json');
    const types = jsonLines(events.stdout).map((event) => (event as { type: string }).type);
    expect(types.filter((type) => type === 'route.decided')).toHaveLength(1);
    expect(types.filter((type) => type === 'response.completed')).toHaveLength(1);

    const [models, dead, reused] = await Promise.all([
      cli('models'),
      cli('dead'),
      cli('chat', 'another question', '--request-id', 'order-17'),
    ]);
    expect([models.status, dead.status, reused.status]).toEqual([0, 0, 2]);
    expect(models.stdout).toContain('arm-b');
    expect(dead.stderr).toContain('no dead letters');
    expect(reused.stderr).toContain('request_id_reused');
  });

  it('is well: status, rebuild and reconcile end with 0', async () => {
    const ask = async () => {
      const { status, stdout } = await cli('status', '--json');
      expect(status).toBe(0);
      expect(jsonLines(stdout)).toMatchObject([{ ready: true, projection: { lagMessages: 0 } }]);
    };
    await eventually(async () => {
      await ask();
      return true;
    });
    const [rebuilt, reconciled, asked] = await Promise.all([
      cli('rebuild', '--json'),
      cli('reconcile', '--json'),
      cli('sql', '--json', 'SELECT requests, completed, open FROM parity'),
    ]);
    expect(jsonLines(rebuilt.stdout)).toMatchObject([
      { from: 'clickhouse', comparedWith: { live: { verdict: 'equal' }, log: { verdict: 'equal' } } },
    ]);
    expect(jsonLines(reconciled.stdout)).toMatchObject([{ equal: true }]);
    expect(jsonLines(asked.stdout).map((row) => Object.values(row as object).map(Number))).toEqual([[1, 1, 0]]);
    expect([rebuilt.status, reconciled.status, asked.status]).toEqual([0, 0, 0]);
  });

  it('refuses a second yard in the same folder', async () => {
    const { status, stdout, stderr } = await cli('up');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('expected a data folder that no other yard uses');
    expect(stderr).not.toMatch(stackTrace);
  });

  it('stops in order at Ctrl-C, says nothing on stdout but its addresses, and leaves no run.json', async () => {
    yard.child.kill('SIGINT');
    const { status, stdout } = await yard.ended;
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{ pid: yard.child.pid, httpUrl: expect.stringContaining('http://127.0.0.1:') as string }]);
    expect(existsSync(path.join(folder.path, 'data', 'run.json'))).toBe(false);
    expect((await cli('models')).status).toBe(3);
  });
});
