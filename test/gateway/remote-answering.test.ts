import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { TransientError, PermanentError } from '../../src/errors.ts';
import { requestIdSchema, tenantSchema } from '../../src/events/index.ts';
import { startRemoteAnswering } from '../../src/gateway/remote-answering.ts';
import { encodeJson } from '../../src/gateway/nats-messages.ts';
import type { AnswerPart } from '../../src/requests/answer.ts';
import type { ChatRequest } from '../../src/requests/chat-request.ts';
import { startTestNats, type TestNats } from '../support/nats.ts';
import { eventually } from '../support/eventually.ts';
import { natsConfig, openTestBus, startWorkerOn } from './support/nats-yard.ts';
import { failed, finished, scriptedAnswering, started, text, threeWords } from './support/scripted-answering.ts';

let nats: TestNats;
beforeAll(async () => {
  nats = await startTestNats();
});
afterAll(() => nats.stop());

let made = 0;
const request = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  requestId: requestIdSchema.parse(`remote-${++made}`),
  retryable: false,
  tenant: tenantSchema.parse('default'),
  model: 'auto',
  messages: [{ role: 'user', content: 'How many legs?' }],
  parameters: { temperature: 0.5 },
  streamed: false,
  caching: 'refresh',
  receivedAtMs: Date.now(),
  ...more,
});

const startRemote = async (bus: Pick<Bus, 'requests' | 'messenger'>, config = natsConfig()) => {
  const remote = await startRemoteAnswering({ config, bus, logger: pino({ level: 'silent' }) });
  onTestFinished(remote.close);
  return remote;
};

const read = async (parts: AsyncIterable<AnswerPart>): Promise<AnswerPart[]> => {
  const seen: AnswerPart[] = [];
  for await (const part of parts) seen.push(part);
  return seen;
};

const never = () => new AbortController().signal;

describe('answering through the queue', () => {
  it('gives the same parts as the worker was given', async () => {
    const config = natsConfig();
    const bus = await openTestBus(nats, config);
    const script = scriptedAnswering((it) => [
      started(it, { cache: 'hit', simulated: false }),
      text('Twenty'),
      { kind: 'delta', text: '', toolCalls: [{ index: 0, id: 'c' }] },
      finished(true),
    ]);
    await startWorkerOn(bus, config, script);
    const remote = await startRemote(bus);
    const asked = request();
    const parts = await read(remote.answer(asked, never()));
    expect(parts).toEqual([
      { kind: 'started', requestId: asked.requestId, arm: 'small-plain', model: 'small', cache: 'hit', simulated: false, repeated: false },
      { kind: 'delta', text: 'Twenty' },
      { kind: 'delta', text: '', toolCalls: [{ index: 0, id: 'c' }] },
      finished(true),
    ]);
    expect(script.asked).toEqual([{ ...asked, retryable: true, traceparent: undefined }]);
  });

  it('hands on errors, before and after the first part', async () => {
    const config = natsConfig();
    const bus = await openTestBus(nats, config);
    await startWorkerOn(
      bus,
      config,
      scriptedAnswering((it) =>
        it.streamed ? [started(it), text('Twen'), failed('answer_truncated')] : [failed('provider_rate_limited', 70)],
      ),
    );
    const remote = await startRemote(bus);
    expect(await read(remote.answer(request(), never()))).toEqual([failed('provider_rate_limited', 70)]);
    const parts = await read(remote.answer(request({ streamed: true }), never()));
    expect(parts.map(({ kind }) => kind)).toEqual(['started', 'delta', 'failed']);
  });

  it('has the provider stopped when the caller goes', async () => {
    const config = natsConfig();
    const bus = await openTestBus(nats, config);
    const { answering } = await startWorkerOn(
      bus,
      config,
      scriptedAnswering((it) => [started(it), text('Twen'), { kind: 'until-aborted' }]),
    );
    const remote = await startRemote(bus);

    const caller = new AbortController();
    const asked = request();
    const parts = read(remote.answer(asked, caller.signal));
    await eventually(() => answering.asked.length === 1, { what: 'the worker to be asked', everyMs: 5 });
    caller.abort();
    expect((await parts).at(-1)).toMatchObject({ kind: 'failed', error: { code: 'cancelled' } });
    await eventually(() => answering.aborted.includes(asked.requestId), { what: 'the provider to be stopped', everyMs: 5 });

    // Who simply does not read on has gone too.
    const left = request({ streamed: true });
    for await (const part of remote.answer(left, never())) if (part.kind === 'delta') break;
    await eventually(() => answering.aborted.includes(left.requestId), { what: 'the provider to be stopped', everyMs: 5 });
  });

  it('serves many at once, each its own', async () => {
    const config = natsConfig();
    const bus = await openTestBus(nats, config);
    await startWorkerOn(
      bus,
      config,
      scriptedAnswering((it) => [started(it), ...Array.from({ length: 20 }, (_, i) => text(`${it.requestId}/${i} `)), finished()]),
    );
    const remote = await startRemote(bus);
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const asked = request();
        const parts = await read(remote.answer(asked, never()));
        const said = parts.map((part) => (part.kind === 'delta' ? part.text : '')).join('');
        expect(said).toBe(Array.from({ length: 20 }, (_, i) => `${asked.requestId}/${i} `).join(''));
      }),
    );
  });
});

describe('what can go wrong on the way', () => {
  const fields = { attempt: 'a', request_id: 'r', text: 'x' };
  const origin = { 'Switchyard-Arm': 'small-plain', 'Switchyard-Model': 'small', 'Switchyard-Cache': 'miss' };

  /** A worker that sends what it is told. */
  const startScripted = async (messages: readonly object[], config = natsConfig()) => {
    const bus = await openTestBus(nats, config);
    const put: Bus['requests']['put'] = async (item) => {
      for (const message of messages) bus.messenger.publish(item.headers['Switchyard-Reply'] ?? '', encodeJson(message), origin);
      return { sequence: 1, duplicate: false };
    };
    return startRemote({ messenger: bus.messenger, requests: { ...bus.requests, put } }, config);
  };

  const endOf = async (messages: readonly object[]) => (await read((await startScripted(messages)).answer(request(), never()))).at(-1);

  it('a gap in the numbers is a truncated answer', async () => {
    expect(
      await endOf([
        { type: 'chunk', seq: 1, ...fields },
        { type: 'chunk', seq: 3, ...fields },
      ]),
    ).toMatchObject({ kind: 'failed', error: { code: 'answer_truncated' } });
    expect(await endOf([{ type: 'chunk', seq: 2, ...fields }])).toMatchObject({ kind: 'failed', error: { code: 'answer_truncated' } });
  });

  const end = {
    type: 'final',
    request_id: 'r',
    arm: 'small-plain',
    model: 'small',
    cache: 'miss',
    simulated: true,
    repeated: true,
    finish_reason: 'stop',
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    cost_nano_usd: 0,
  };
  const twoAttempts = [
    { type: 'chunk', seq: 1, ...fields },
    { type: 'chunk', seq: 1, ...fields, attempt: 'b', text: 'y' },
    { type: 'chunk', seq: 2, ...fields, attempt: 'b', text: 'z' },
    { ...end, seq: 3, attempt: 'b', chunks: 2 },
  ];

  it('another attempt takes the place of one that nobody has seen of', async () => {
    const parts = await read((await startScripted(twoAttempts)).answer(request(), never()));
    expect(parts.map((part) => (part.kind === 'delta' ? part.text : part.kind))).toEqual(['started', 'y', 'z', 'finished']);
  });

  it('another attempt does not take the place of one that was handed on', async () => {
    const parts = await read((await startScripted(twoAttempts)).answer(request({ streamed: true }), never()));
    expect(parts.map((part) => (part.kind === 'delta' ? part.text : part.kind))).toEqual(['started', 'x', 'failed']);
    expect(parts.at(-1)).toMatchObject({ error: { code: 'interrupted' } });
  });

  it('an attempt that was begun goes on beside another', async () => {
    const messages = [...twoAttempts.slice(0, 3), { ...end, seq: 2, attempt: 'a', chunks: 1 }];
    const parts = await read((await startScripted(messages)).answer(request({ streamed: true }), never()));
    expect(parts.map((part) => (part.kind === 'delta' ? part.text : part.kind))).toEqual(['started', 'x', 'finished']);
  });

  it('nobody who answers is an interrupted answer, after the deadline', async () => {
    const remote = await startScripted([], natsConfig({ deadlineMs: 200 }));
    expect(await read(remote.answer(request(), never()))).toMatchObject([{ kind: 'failed', error: { code: 'interrupted' } }]);
  });

  it('more than the limit at once is overloaded', async () => {
    const remote = await startScripted([], natsConfig({ concurrency: 1, deadlineMs: 200 }));
    const first = read(remote.answer(request(), never()));
    expect(await read(remote.answer(request(), never()))).toMatchObject([{ kind: 'failed', error: { code: 'overloaded' } }]);
    await first;
  });

  it.each([
    [new TransientError('store-full', 'full', 500), { code: 'unavailable', retryAfterMs: 500 }],
    [new PermanentError('too-large', 'expected less'), { code: 'body_too_large' }],
  ])('a queue that does not take it: %s', async (thrown, error) => {
    const bus = await openTestBus(nats, natsConfig());
    const remote = await startRemote({ messenger: bus.messenger, requests: { ...bus.requests, put: () => Promise.reject(thrown) } });
    expect(await read(remote.answer(request(), never()))).toMatchObject([{ kind: 'failed', error }]);
  });

  it('a worker that dies in the middle is replaced unnoticed when nothing was handed on', async () => {
    const config = natsConfig();
    const bus = await openTestBus(nats, config);
    let calls = 0;
    await startWorkerOn(
      bus,
      config,
      scriptedAnswering((it) => (++calls === 1 ? [started(it), text('Twen'), { kind: 'throw' }] : threeWords(it))),
    );
    const remote = await startRemote(bus);
    const parts = await read(remote.answer(request(), never()));
    expect(parts.map(({ kind }) => kind)).toEqual(['started', 'delta', 'delta', 'delta', 'finished']);
  });
});
