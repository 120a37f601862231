import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { environmentFor } from '../../src/config/environment.ts';
import { sequence, type EventOf } from '../../src/events/index.ts';
import { openTestBus } from '../support/audit.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** Two yards with a data folder each on one NATS: neither was told a key. */
let yard: TestYard;
let bus: Bus;
let worker: ChildProcess | undefined;
const dataDir = mkdtempSync(path.join(tmpdir(), 'switchyard-other-'));
beforeAll(async () => {
  yard = await startTestYard({ cache: { enabled: false } });
  bus = await openTestBus(yard);
});
afterAll(async () => {
  worker?.kill('SIGTERM');
  await bus.close();
  await yard.close();
  rmSync(dataDir, { recursive: true });
});

const startOther = (): Promise<string> => {
  const env = environmentFor(yard.settings, { natsUrl: yard.natsUrl, httpPort: 0, sqlPort: Number(new URL(yard.sqlUrl).port) });
  const other = fork(path.join(import.meta.dirname, '../../src/processes/worker.ts'), [], {
    env: { ...env, SWITCHYARD_DATA_DIR: dataDir },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  worker = other;
  return new Promise((resolve, reject) => {
    other.once('message', ({ addresses }: { readonly addresses: { readonly http: string } }) => {
      resolve(addresses.http);
    });
    other.once('exit', () => {
      reject(new Error('the other worker ended'));
    });
  });
};

const ask = async (httpUrl: string, id: string) => {
  const response = await fetch(`${httpUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': id, 'x-switchyard-conversation': 'conversation-1' },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'the same question' }] }),
  });
  expect(response.status).toBe(200);
};

it('a conversation and a question are the same to both', async () => {
  const otherUrl = await startOther();
  await ask(yard.httpUrl, 'one');
  // It follows the log at its own pace: then it knows which arm answered on the one.
  let asked = 0;
  await eventually(
    async () => {
      await ask(otherUrl, `other-${++asked}`);
      return (await decisions()).at(-1)?.data.conversation?.previousArm !== null;
    },
    { what: 'the other to know the conversation' },
  );
  const made = await decisions();
  expect(new Set(made.map(({ data }) => data.conversation?.id)).size).toBe(1);
  expect(new Set(made.map(({ data }) => data.question)).size).toBe(1);
  const key = JSON.parse(Buffer.from(await bus.hashKey.offer(new Uint8Array())).toString()) as { readonly key: string };
  expect(key.key).toMatch(/^[0-9a-f]{64}$/);
  expect(JSON.stringify(made)).not.toContain(key.key);
});

const decisions = async (): Promise<readonly EventOf<'route.decided'>[]> => {
  const found: EventOf<'route.decided'>[] = [];
  for await (const entry of bus.log.read({ from: sequence(1) }))
    for (const event of entry.kind === 'events' ? entry.events : []) if (event.type === 'route.decided') found.push(event);
  return found;
};
