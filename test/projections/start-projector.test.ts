import { fork } from 'node:child_process';
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@clickhouse/client';
import { drainPending } from 'chdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MemoryBus } from '../../src/bus/memory/bus.ts';
import { subjects } from '../../src/events/index.ts';
import { openClickhouse, wholeNumber } from '../../src/projections/clickhouse.ts';
import { startProjector, type RunningProjector } from '../../src/projections/start-projector.ts';
import { appendRequests, memoryBus, quiet, testFolder } from '../support/projection.ts';
import { startClickhouseServer } from '../support/clickhouse-server.ts';
import { testSettings } from '../support/settings.ts';
import { eventually } from '../support/eventually.ts';

const ask = async (bus: MemoryBus, command: object | null): Promise<Record<string, unknown>> => {
  const body = new TextEncoder().encode(command === null ? '' : JSON.stringify(command));
  const asked = await bus.messenger.ask(subjects.actor('projector'), body, { timeoutMs: 20_000 });
  if (asked.kind !== 'answer') throw new Error(`expected an answer, got ${asked.kind}`);
  return JSON.parse(new TextDecoder().decode(asked.body)) as Record<string, unknown>;
};

describe('the running projector', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let bus: MemoryBus;
  let running: RunningProjector | undefined;
  beforeEach(async () => {
    folder = await testFolder();
    bus = memoryBus();
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
    await drainPending();
    await folder.remove();
  });
  const settings = (clickhouse: object = { port: 0 }) => testSettings({ dataDir: folder.path, clickhouse, projector: { batchWaitMs: 10 } });
  const start = async (clickhouse?: object): Promise<RunningProjector> => {
    running = await startProjector({ bus, settings: settings(clickhouse), logger: quiet });
    return running;
  };
  const caughtUp = async (projector: RunningProjector) => {
    const { last } = await bus.log.bounds();
    await eventually(() => projector.status().checkpoint >= last, { what: 'the end of the log' });
  };

  test('projects, answers for its status and its reconciliation over the bus, and serves SQL', async () => {
    await appendRequests(bus.log, 1, 10);
    const projector = await start();
    await caughtUp(projector);
    expect(await ask(bus, null)).toMatchObject({
      state: 'following',
      epoch: 1,
      checkpoint: 20,
      logLast: 20,
      lagMessages: 0,
      sqlUrl: projector.sqlUrl,
      database: 'switchyard',
    });
    expect(await ask(bus, { command: 'status' })).toMatchObject({ rowsWritten: 40 });
    expect(await ask(bus, { command: 'reconcile', from: 3, to: 8 })).toMatchObject({ from: 3, to: 8, rowsOfLog: 12, equal: true });
    expect(await ask(bus, { command: 'explode' })).toMatchObject({ error: { code: 'bad-command' } });
    const client = createClient({ url: projector.sqlUrl ?? '', database: 'switchyard' });
    const result = await client.query({ query: 'SELECT requests, rewarded FROM parity', format: 'JSONEachRow' });
    expect(await result.json()).toEqual([{ requests: 10, rewarded: 10 }]);
    await client.close();
  });

  test('refuses to project into what can only be read: the SQL interface of another projector', async () => {
    const other = await start();
    const client = startProjector({ bus: memoryBus(), settings: settings({ url: other.sqlUrl }), logger: quiet });
    await expect(client).rejects.toMatchObject({
      code: 'clickhouse-read-only',
      message: expect.stringContaining(other.sqlUrl ?? '') as string,
    });
  });

  test('starts again on what is there, quickly and without doing it twice', async () => {
    await appendRequests(bus.log, 1, 5);
    await caughtUp(await start());
    await running?.close();
    const projector = await start();
    await appendRequests(bus.log, 6, 7);
    await caughtUp(projector);
    expect(projector.status().rowsWritten).toBe(8);
    expect(await projector.reconcile({})).toMatchObject({ rowsOfTable: 28, equal: true });
  });

  test('parts that a power cut broke are set aside, and their rows read from the log again', async () => {
    await appendRequests(bus.log, 1, 5);
    await caughtUp(await start());
    await appendRequests(bus.log, 6, 10);
    await caughtUp(running as RunningProjector);
    await running?.close();
    await drainPending();
    const data = path.join(folder.path, 'clickhouse');
    const clickhouse = await openClickhouse({ kind: 'embedded', path: data, database: 'switchyard' }, { requestTimeoutMs: 30_000 });
    const [part] = await clickhouse.rows(
      `SELECT path, max_block_number FROM system.parts WHERE active AND table = 'events' ORDER BY max_block_number LIMIT 1`,
    );
    await clickhouse.close();
    await drainPending();
    const folderOfPart = String(part?.['path']);
    for (const file of await readdir(folderOfPart))
      if (file.startsWith('data') || file.endsWith('.bin')) await writeFile(path.join(folderOfPart, file), '');
    await rm(path.join(folderOfPart, 'checksums.txt'), { force: true });
    const projector = await start();
    await eventually(async () => (await projector.reconcile({})).rowsOfTable === 40, {
      what: 'the rows to be back',
      everyMs: 200,
    });
    expect(await projector.reconcile({})).toMatchObject({ rowsOfLog: 40, rowsOfTable: 40, equal: true });
  });

  test('a folder that the engine cannot open any more is set aside, and a new one made from the log', async () => {
    await appendRequests(bus.log, 1, 5);
    await caughtUp(await start());
    await running?.close();
    await drainPending();
    const data = path.join(folder.path, 'clickhouse');
    const definitions = (await readdir(path.join(data, 'store'), { recursive: true })).filter((file) => file.endsWith('events.sql'));
    expect(definitions).toHaveLength(1);
    for (const file of definitions) await writeFile(path.join(data, 'store', file), '');
    // A process that ends in order takes this file with it; after a power cut it names one that is gone.
    await writeFile(path.join(data, 'status'), 'PID: 4194304\nStarted at: 2026-01-01 00:00:00\nRevision: 54513\n');
    const projector = await start();
    await caughtUp(projector);
    expect(await projector.reconcile({})).toMatchObject({ rowsOfTable: 20, equal: true });
    expect((await readdir(folder.path)).filter((name) => name.startsWith('clickhouse.damaged-'))).toHaveLength(1);
  });

  test('with a server that is away it starts all the same, and projects once it comes; it survives its death', async () => {
    const server = await startClickhouseServer();
    try {
      await server.kill9();
      await appendRequests(bus.log, 1, 5);
      const projector = await start({ url: server.url });
      expect(projector.sqlUrl).toBeNull();
      await eventually(() => projector.status().fault, { what: 'a fault to show' });
      expect(projector.status()).toMatchObject({ checkpoint: 0, state: 'waiting-for-clickhouse' });
      await server.restart();
      await caughtUp(projector);
      await server.kill9();
      await appendRequests(bus.log, 6, 30);
      await eventually(() => projector.status().lagMessages === 50 && projector.status().state === 'waiting-for-clickhouse', {
        what: 'the lag to show',
      });
      await server.restart();
      await caughtUp(projector);
      expect(await projector.reconcile({})).toMatchObject({ rowsOfLog: 120, rowsOfTable: 120, duplicated: 0, equal: true });
      const reader = createClient({ url: server.url, database: 'switchyard' });
      const rows = await (await reader.query({ query: 'SELECT count() AS n FROM events', format: 'JSONEachRow' })).json<{ n: number }>();
      expect(wholeNumber(rows[0], 'n')).toBe(120);
      await reader.close();
    } finally {
      await running?.close();
      running = undefined;
      await server.stop();
    }
  });

  /** Another process that has the engine open over the folder of the test. */
  const holdFolder = async () => {
    const script = path.join(import.meta.dirname, '..', 'support', 'clickhouse-server-process.ts');
    const other = fork(script, [path.join(folder.path, 'clickhouse'), '0']);
    await new Promise((resolve, reject) => {
      other.once('message', (url: string) => {
        void fetch(url, { method: 'POST', body: 'SELECT 1' }).then(resolve, reject);
      });
      other.once('exit', reject);
    });
    return async () => {
      const exited = new Promise((resolve) => other.once('exit', resolve));
      other.kill('SIGKILL');
      await exited;
    };
  };

  test('a folder that the projector of before still has open is waited for, and nothing is set aside', async () => {
    const release = await holdFolder();
    const starting = start();
    await sleep(1_500);
    await release();
    await appendRequests(bus.log, 1, 5);
    await caughtUp(await starting);
    expect((await readdir(folder.path)).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  test('a folder that another projector has open is refused with what to do', async () => {
    const release = await holdFolder();
    try {
      await expect(start()).rejects.toMatchObject({
        code: 'clickhouse-locked',
        message: expect.stringContaining('stop the other projector') as string,
      });
    } finally {
      await release();
    }
  });
});
