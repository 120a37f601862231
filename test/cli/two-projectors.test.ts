import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { startSqlInterface } from '../../src/projections/sql/http-interface.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { runCli, testFolder, type TestFolder } from './support/cli.ts';
import { reward, stored } from './support/events.ts';

/** Two yards with engines of their own on one NATS: commands ask the projector of the engine that they were pointed to, and not whichever answers first. */
let nats: TestNats;
let bus: Bus;
/** The engine can be opened once in a process. */
const yards: { readonly folder: TestFolder; readonly process: ChildProcess; readonly sqlUrl: string }[] = [];
const script = path.join(import.meta.dirname, '..', 'support', 'projector-process.ts');

const openYard = async () => {
  const folder = testFolder({ nats: { url: nats.url } });
  const child = fork(script, [nats.url, path.join(folder.path, 'data')]);
  const [sqlUrl] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the projector of the test ended'))),
  ])) as [string];
  yards.push({ folder, process: child, sqlUrl });
};
const end = async ({ folder, process: child }: (typeof yards)[number]) => {
  child.kill('SIGKILL');
  await once(child, 'exit');
  folder.remove();
};

beforeAll(async () => {
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
  for (let i = 1; i <= 20; i++) {
    const place = { request: `request-${i}` };
    await bus.log.append([reward('arm-a', 1_000 * i, place), stored('arm-a', place)], { idempotencyId: `id-${i}` });
  }
  await openYard();
  await openYard();
});
afterAll(async () => {
  for (const yard of yards) await end(yard);
  await bus.close();
  await nats.stop();
});

const urlOf = (yard: number) => yards[yard]?.sqlUrl ?? '';
const cli = (command: string, sqlUrl: string) =>
  runCli([command, '--json', '--config', yards[0]?.folder.config ?? '', '--sql-url', sqlUrl]);

describe('of two projectors on one NATS', () => {
  it('status asks the one whose database is meant', async () => {
    for (const yard of [0, 1, 0, 1]) {
      const { stdout } = await cli('status', urlOf(yard));
      expect(JSON.parse(stdout)).toMatchObject({ projection: { sqlUrl: urlOf(yard) } });
    }
  });

  it('reconcile compares the one that is meant, and says which where that cannot be seen', async () => {
    const { status, stderr } = await cli('reconcile', urlOf(1));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const nobody = await cli('reconcile', 'http://127.0.0.1:9');
    expect(nobody.stderr).toMatch(
      /compared is the database at http:\/\/127\.0\.0\.1:\d+, whose projector answered: nobody answers at http:\/\/127\.0\.0\.1:9/,
    );
  });

  it('reconcile takes no other one for an engine that is only slow: exit code 3', async () => {
    const silent = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer: () => new Promise(() => undefined) });
    const { status, stdout, stderr } = await cli('reconcile', silent.url);
    await silent.close();
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toMatch(
      /^switchyard: expected the database at [^ ]+ to say which one it is within 10 s, got nothing; it may be busy, try again\n$/,
    );
  });

  it('reconcile does not take another one for it', async () => {
    const gone = yards.pop();
    const url = gone?.sqlUrl ?? '';
    if (gone !== undefined) await end(gone);
    // Its engine is gone with it: nobody answers there any more.
    const { status, stderr } = await cli('reconcile', url);
    expect(stderr).toContain(`nobody answers at ${url}`);
    expect(status).toBe(0);
  });
});
