import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { subjects } from '../../src/events/index.ts';
import { readClickhouse, type Row } from '../../src/projections/clickhouse.ts';
import { snapshotFromLog, trustedSnapshot } from '../../src/projections/state.ts';
import type { ProjectorStatus } from '../../src/projections/status.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { append, testFolder } from '../support/projection.ts';
import { requestMessages } from '../support/projection-events.ts';
import { eventually } from '../support/eventually.ts';

const script = path.join(import.meta.dirname, '..', 'support', 'projector-process.ts');
const kills = 6;

describe('a projector process that is killed under load, over a real nats-server', () => {
  let nats: TestNats;
  let bus: Bus;
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let child: ChildProcess | undefined;
  let sqlUrl = '';
  beforeAll(async () => {
    nats = await startTestNats();
    bus = await connectTestBus(nats.url);
    folder = await testFolder();
  });
  afterAll(async () => {
    await kill();
    await bus.close();
    await nats.stop();
    await folder.remove();
  });

  const start = async () => {
    const started = (child = fork(script, [nats.url, folder.path], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    [sqlUrl = ''] = (await Promise.race([
      once(started, 'message'),
      once(started, 'exit').then(([status]) => Promise.reject(new Error(`the projector ended with status ${String(status)}`))),
    ])) as [string];
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const tryAsk = async (command: object, timeoutMs: number): Promise<Record<string, unknown> | string> => {
    const asked = await bus.messenger.ask(subjects.actor('projector'), new TextEncoder().encode(JSON.stringify(command)), { timeoutMs });
    return asked.kind === 'answer' ? (JSON.parse(new TextDecoder().decode(asked.body)) as Record<string, unknown>) : asked.kind;
  };
  const ask = async (command: object): Promise<Record<string, unknown>> => {
    const answer = await tryAsk(command, 120_000);
    if (typeof answer === 'string') throw new Error(`expected an answer, got ${answer}`);
    return answer;
  };
  const caughtUp = async () => {
    const { last } = await bus.log.bounds();
    return eventually(
      async () => {
        // A question that the server took with it when it was killed has no answer: it is asked again.
        const status = (await tryAsk({ command: 'status' }, 2_000)) as ProjectorStatus | string;
        return typeof status !== 'string' && status.checkpoint >= last && status;
      },
      { what: 'the projection to reach the end of the log', everyMs: 100 },
    );
  };

  test(`each event is there once after ${kills} kills, and the state is that of the log`, { timeout: 180_000 }, async () => {
    let sent = 0;
    let wanted = 20;
    const stopped = new AbortController();
    // No more than what is waited for: a slow machine has no more to do than a quick one.
    const load = (async () => {
      while (!stopped.signal.aborted) {
        if (sent < wanted) await Promise.all(Array.from({ length: 10 }, () => append(bus.log, ...requestMessages(++sent))));
        await sleep(5);
      }
    })();
    for (let i = 0; i < kills; i++) {
      await start();
      const enough = sent + 20 * i;
      wanted = enough + 100;
      // Any moment between opening the folder and somewhere in the middle of the stream.
      await Promise.race([eventually(() => sent > enough, { what: 'more requests', everyMs: 3 }), load]);
      await kill();
    }
    await start();
    stopped.abort();
    await load;
    const status = await caughtUp();
    expect(status).toMatchObject({ epoch: 1, poisonMessages: 0 });
    expect(await ask({ command: 'reconcile' })).toMatchObject({
      to: 2 * sent,
      rowsOfLog: 4 * sent,
      rowsOfTable: 4 * sent,
      missing: 0,
      extra: 0,
      different: 0,
      duplicated: 0,
      equal: true,
    });

    const reader = readClickhouse({ kind: 'server', url: sqlUrl, database: 'switchyard' }, { requestTimeoutMs: 30_000 });
    const [parity] = await reader.rows('SELECT * FROM parity');
    expect(parity).toMatchObject({
      requests: String(sent),
      decided: String(sent),
      completed: String(sent),
      rewarded: String(sent),
      decided_twice: '0',
      ended_twice: '0',
      rewarded_twice: '0',
    } satisfies Row);
    expect(await trustedSnapshot(reader, bus.log)).toEqual(await snapshotFromLog(bus.log));
    await reader.close();
  });

  test('the nats-server is killed: the projection goes on where it was', async () => {
    await nats.kill9();
    await nats.restart();
    await eventually(() => bus.log.bounds(), { what: 'the log to answer' });
    const { last } = await bus.log.bounds();
    for (let i = 0; i < 20; i++) await append(bus.log, ...requestMessages(1_000_000 + i));
    const status = await caughtUp();
    expect(status).toMatchObject({ epoch: 1, checkpoint: last + 40 });
    expect(await ask({ command: 'reconcile' })).toMatchObject({ equal: true });
  });
});
