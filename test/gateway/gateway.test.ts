import OpenAI from 'openai';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startGateway, type Gateway, type GatewayParts } from '../../src/gateway/gateway.ts';
import { startTestNats, type TestNats } from '../support/nats.ts';
import { eventually } from '../support/eventually.ts';
import { chatBody, post } from './support/http.ts';
import { bytesOf, natsConfig, openCaller, openTestBus } from './support/nats-yard.ts';
import { scriptedAnswering, threeWords } from './support/scripted-answering.ts';

let nats: TestNats;
beforeAll(async () => {
  nats = await startTestNats();
});
afterAll(() => nats.stop());

const start = async (parts: Partial<GatewayParts>): Promise<Gateway> => {
  const config = natsConfig();
  const bus = await openTestBus(nats, config);
  const gateway = await startGateway({
    settings: { config },
    bus,
    answering: scriptedAnswering(threeWords),
    serves: true,
    phases: () => ({ router: 'live' }),
    logger: pino({ level: 'silent' }),
    drainMs: 1_000,
    ...parts,
  });
  onTestFinished(gateway.close);
  return gateway;
};

const urlOf = ({ httpUrl }: Gateway): string => httpUrl ?? expect.fail('expected a process that serves');
const ready = async (gateway: Gateway) => {
  const response = await fetch(`${urlOf(gateway)}/readyz`);
  return { status: response.status, body: (await response.json()) as { parts: Record<string, { ready: boolean; detail: string }> } };
};

describe('the gateways of a process', () => {
  it('answer over HTTP and over NATS alike', async () => {
    const gateway = await start({});
    expect((await post(urlOf(gateway), chatBody())).status).toBe(200);
    const { nc } = await openCaller(nats);
    expect((await nc.request('switchyard.request.default', bytesOf(chatBody()), { timeout: 10_000 })).json()).toMatchObject({
      type: 'final',
    });
    expect(await ready(gateway)).toEqual({
      status: 200,
      body: {
        status: 'ready',
        parts: {
          bus: { ready: true, detail: 'connected' },
          router: { ready: true, detail: 'live' },
          worker: { ready: true, detail: 'taking' },
        },
      },
    });
  });

  it('are not ready while an actor is not', async () => {
    const gateway = await start({ phases: () => ({ router: 'rebuilding' }) });
    expect(await ready(gateway)).toMatchObject({ status: 503, body: { parts: { router: { ready: false, detail: 'rebuilding' } } } });
  });

  it('can live apart from those who answer', async () => {
    const front = await start({ answering: null, phases: () => ({}) });
    expect(await ready(front)).toMatchObject({ status: 503, body: { parts: { worker: { ready: false } } } });

    const answering = scriptedAnswering(threeWords);
    const back = await start({ answering, serves: false });
    expect(back.httpUrl).toBeNull();
    await eventually(async () => (await ready(front)).status === 200, { what: 'the front to be ready' });

    const client = new OpenAI({ baseURL: `${urlOf(front)}/v1`, apiKey: 'none' });
    const question = { model: 'auto', messages: [{ role: 'user' as const, content: 'How many legs?' }] };
    const { data, response } = await client.chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe('Twenty-four legs.');
    expect(response.headers.get('x-switchyard-arm')).toBe('small-plain');
    let said = '';
    for await (const chunk of await client.chat.completions.create({ ...question, stream: true }))
      said += chunk.choices[0]?.delta.content ?? '';
    expect(said).toBe('Twenty-four legs.');
    expect(answering.asked.map(({ streamed }) => streamed)).toEqual([false, true]);
  });

  it('leave nothing behind when the address is taken', async () => {
    const first = await start({});
    const config = natsConfig();
    const bus = await openTestBus(nats, config);
    const taken = { ...config, http: { ...config.http, port: Number(new URL(urlOf(first)).port) } };
    const answering = scriptedAnswering(threeWords);
    const second = startGateway({
      settings: { config: taken },
      bus,
      answering,
      serves: true,
      phases: () => ({}),
      logger: pino({ level: 'silent' }),
    });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const { nc } = await openCaller(nats);
    for (let i = 0; i < 10; i++) await nc.request('switchyard.request.default', bytesOf(chatBody()), { timeout: 10_000 });
    expect(answering.asked).toEqual([]);
  });
});
