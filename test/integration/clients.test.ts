import { createClient } from '@clickhouse/client';
import { connect, createInbox } from '@nats-io/transport-node';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { drained, openTestBus } from '../support/audit.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** The clients that people have, against the product as it runs: nothing of ours on their side. */
describe('the official clients', () => {
  let yard: TestYard;
  let bus: Bus;
  beforeAll(async () => {
    yard = await startTestYard();
    bus = await openTestBus(yard);
  });
  afterAll(async () => {
    await bus.close();
    await yard.close();
  });

  const openai = () => new OpenAI({ baseURL: `${yard.httpUrl}/v1`, apiKey: 'not-needed', maxRetries: 0 });

  it('openai: a whole answer, with the headers that say who made it', async () => {
    const { data, response } = await openai()
      .chat.completions.create({ model: 'auto', messages: [{ role: 'user', content: 'What is a switchyard?' }] })
      .withResponse();
    expect(data.choices[0]?.message.content).toMatch(/^\[simulated sim-[abc]\] /);
    expect(data.choices[0]?.finish_reason).toBe('stop');
    expect(data.usage?.total_tokens).toBe((data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0));
    expect(response.headers.get('x-switchyard-arm')).toMatch(/^[abc]$/);
    expect(response.headers.get('x-switchyard-model')).toBe(data.model);
    expect(response.headers.get('x-switchyard-cache')).toBe('miss');
    expect(response.headers.get('x-request-id')).toMatch(/./);
  });

  it('openai: a streamed answer with usage in its last chunk', async () => {
    const stream = await openai().chat.completions.create({
      model: 'sim-b',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Stream, please.' }],
    });
    let text = '';
    let finish: string | null = null;
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      tokens = chunk.usage?.total_tokens ?? tokens;
    }
    expect(text).toMatch(/^\[simulated sim-b\] /);
    expect(finish).toBe('stop');
    expect(tokens).toBeGreaterThan(0);
  });

  it('openai: models, and an error for one that is not there', async () => {
    const models = await openai().models.list();
    expect(models.data.map(({ id }) => id)).toEqual(expect.arrayContaining(['auto', 'sim-a', 'sim-b', 'sim-c']));
    await expect(
      openai().chat.completions.create({ model: 'gpt-none', messages: [{ role: 'user', content: 'hi' }] }),
    ).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('openai: the same question again comes from the cache', async () => {
    const ask = () =>
      openai()
        .chat.completions.create({ model: 'auto', messages: [{ role: 'user', content: 'Say it twice.' }] })
        .withResponse();
    const first = await ask();
    // Some moments later: the cache learns of an answer from the log.
    const second = await eventually(async () => {
      const again = await ask();
      return again.response.headers.get('x-switchyard-cache') === 'hit' && again;
    });
    expect(second.data.choices[0]?.message.content).toBe(first.data.choices[0]?.message.content);
  });

  it('NATS: a request answered in one message, and one in numbered chunks', async () => {
    const nc = await connect({ servers: yard.natsUrl });
    const ask = (stream: boolean) => JSON.stringify({ stream, messages: [{ role: 'user', content: `over NATS ${stream}` }] });
    const whole = (await nc.request('switchyard.request.acme', ask(false), { timeout: 10_000 })).json<{
      type: string;
      response: { choices: { message: { content: string } }[] };
    }>();
    expect(whole.type).toBe('final');
    expect(whole.response.choices[0]?.message.content).toMatch(/^\[simulated/);

    const inbox = createInbox();
    const subscription = nc.subscribe(inbox);
    nc.publish('switchyard.request.acme', ask(true), { reply: inbox });
    const messages: { type: string; seq: number; text?: string; chunks?: number }[] = [];
    for await (const message of subscription) {
      messages.push(message.json());
      if (['accepted', 'final'].every((kind) => messages.some(({ type }) => type === kind))) break;
    }
    // That it was accepted is said by another process, and may come in between.
    const answer = messages.filter(({ type }) => type !== 'accepted');
    expect(answer.map(({ seq }) => seq)).toEqual(answer.map((_, index) => index + 1));
    expect(answer.at(-1)).toMatchObject({ type: 'final', chunks: answer.length - 1 });
    await nc.close();
  });

  it('ClickHouse: the official client reads what was recorded, with bound parameters', async () => {
    await drained(yard, bus);
    const client = createClient({ url: yard.sqlUrl, database: 'switchyard' });
    const result = await client.query({
      query: 'SELECT tenant, count() AS n FROM requests WHERE tenant = {tenant: String} GROUP BY tenant',
      query_params: { tenant: 'acme' },
      format: 'JSONEachRow',
    });
    expect(await result.json()).toEqual([{ tenant: 'acme', n: expect.anything() as unknown }]);
    await expect(client.command({ query: 'DROP TABLE events' })).rejects.toThrow();
    await client.close();
  });
});
