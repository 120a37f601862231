import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subjects, tenantSchema } from '../../src/events/index.ts';
import { startTestNats, type TestNats } from '../support/nats.ts';
import { eventually } from '../support/eventually.ts';
import { chatBody } from './support/http.ts';
import { bytesOf, natsConfig, openCaller, openTestBus, startGatewayOn, startWorkerOn, type Received } from './support/nats-yard.ts';
import type { NatsMessage } from '../../src/gateway/nats-messages.ts';
import { failed, finished, scriptedAnswering, started, text, threeWords } from './support/scripted-answering.ts';

let nats: TestNats;
beforeAll(async () => {
  nats = await startTestNats();
});
afterAll(() => nats.stop());

const tenant = tenantSchema.parse('default');

const startAll = async (answering = scriptedAnswering(threeWords), config = natsConfig()) => {
  const bus = await openTestBus(nats, config);
  await startGatewayOn(bus, natsConfig());
  const worker = await startWorkerOn(bus, config, answering);
  return { bus, config, worker, answering, caller: await openCaller(nats) };
};

/** The messages of each attempt, in the order of their beginning. */
const attemptsOf = (received: readonly Received[]): readonly (readonly NatsMessage[])[] => {
  const attempts = new Map<string, NatsMessage[]>();
  for (const { message } of received)
    if (message.type !== 'accepted') attempts.set(message.attempt ?? '', [...(attempts.get(message.attempt ?? '') ?? []), message]);
  return [...attempts.values()];
};

const letterOf = (bus: Awaited<ReturnType<typeof openTestBus>>, part: string) =>
  eventually(async () => (await bus.dead.list({ limit: 100 })).find(({ body }) => new TextDecoder().decode(body).includes(part)), {
    what: 'the dead letter',
  });

describe('a worker', () => {
  it('keeps an item to itself for as long as it works on it', async () => {
    const { caller, answering } = await startAll(
      scriptedAnswering((request) => [started(request), { kind: 'pause', ms: 7_000 }, text('late'), finished()]),
      natsConfig({ ackWaitSeconds: 3 }),
    );
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    expect(await caller.ended()).toMatchObject([{ message: { type: 'final' } }]);
    expect(answering.asked).toHaveLength(1);
  });

  it('puts back what fails for want of the log, and tells the caller only how it ended', async () => {
    let calls = 0;
    const { caller, answering } = await startAll(
      scriptedAnswering((request) => (++calls < 3 ? [failed('unavailable', 10)] : threeWords(request))),
    );
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    expect(await caller.ended()).toMatchObject([{ message: { type: 'final', seq: 1 } }]);
    expect(new Set(answering.asked.map(({ requestId }) => requestId)).size).toBe(1);
  });

  it('tells the caller after the last delivery, and keeps a dead letter', async () => {
    const { caller, answering, bus } = await startAll(scriptedAnswering(() => [failed('overloaded', 10)]));
    caller.publish('switchyard.request.default', chatBody({ user: 'thrice' }), { reply: caller.inbox });
    expect(await caller.ended()).toMatchObject([{ message: { type: 'error', code: 'overloaded' } }]);
    expect(answering.asked).toHaveLength(3);
    expect(await letterOf(bus, 'thrice')).toMatchObject({ reason: 'overloaded' });
  });

  it('does not try again what is recorded as failed', async () => {
    const { caller, answering } = await startAll(scriptedAnswering(() => [failed('provider_error')]));
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    expect(await caller.ended()).toMatchObject([{ message: { type: 'error', code: 'provider_error' } }]);
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    await caller.ended(2);
    expect(answering.asked).toHaveLength(2);
  });

  it('buries poison in the queue, and goes on', async () => {
    const { caller, bus, answering } = await startAll();
    const headers = { 'Switchyard-Reply': caller.inbox, 'Switchyard-Request-Id': 'poison-1', 'Switchyard-Received-At': '1' };
    await bus.requests.put({ subject: subjects.work(tenant), id: `poison-${caller.inbox}`, headers, body: bytesOf('{"poison":') });
    await bus.requests.put({ subject: subjects.work(tenant), id: `naked-${caller.inbox}`, headers: {}, body: bytesOf('{"naked":1}') });
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    const received = await caller.ended(2);
    expect(
      received.map(({ message }) => (message.type === 'error' ? `${message.code} ${message.request_id}` : message.type)).sort(),
    ).toEqual(['final', 'invalid_json poison-1']);
    expect(await letterOf(bus, '"poison"')).toMatchObject({ reason: 'invalid-json', origin: 'switchyard.work.default' });
    expect(await letterOf(bus, '"naked"')).toMatchObject({ reason: 'no-reply-subject' });
    expect(answering.asked).toHaveLength(1);
  });

  it('survives one who answers and breaks the contract: the item comes again', async () => {
    let calls = 0;
    const { caller } = await startAll(
      scriptedAnswering((request) => (++calls === 1 ? [started(request), text('Twen'), { kind: 'throw' }] : threeWords(request))),
    );
    caller.publish('switchyard.request.default', chatBody({ stream: true }), { reply: caller.inbox });
    await caller.ended();
    // The reader sees by `attempt` that the answer begins anew, and by `seq` that nothing of it is missing.
    expect(attemptsOf(caller.received).map((messages) => messages.map(({ seq }) => seq))).toEqual([[1], [1, 2, 3, 4]]);
  });

  it('stops an answer whose caller has gone, under way or still in the queue', async () => {
    const { caller, answering } = await startAll(
      scriptedAnswering((request) => [started(request), text('Twen'), { kind: 'until-aborted' }]),
      natsConfig({ concurrency: 1 }),
    );
    const cancel = (requestId: string) => {
      caller.publish('switchyard.cancel', { request_id: requestId, reply: caller.inbox });
    };
    for (const requestId of ['first', 'second', 'third'])
      caller.publish('switchyard.request.default', chatBody({ stream: true, request_id: requestId }), { reply: caller.inbox });
    await eventually(() => answering.asked.length === 1, { what: 'the first to be answered', everyMs: 5 });
    cancel('second');
    caller.publish('switchyard.cancel', 'nonsense');
    cancel('first');
    await eventually(() => answering.asked.length === 2, { what: 'the third to be answered', everyMs: 5 });
    cancel('third');
    await caller.ended(2);
    expect(answering.asked.map(({ requestId }) => requestId)).toEqual(['first', 'third']);
    expect(answering.aborted).toEqual(['first', 'third']);
  });

  it('gives back on closing what does not end in time, and the next worker carries it on', async () => {
    const config = natsConfig();
    const bus = await openTestBus(nats, config);
    await startGatewayOn(bus, config);
    const first = await startWorkerOn(
      bus,
      config,
      scriptedAnswering((request) => [started(request), text('Twen'), { kind: 'pause', ms: 3_000 }, finished()]),
      50,
    );
    const caller = await openCaller(nats);
    caller.publish('switchyard.request.default', chatBody({ stream: true, request_id: 'handed-over' }), { reply: caller.inbox });
    await eventually(() => caller.received.some(({ message }) => message.type === 'chunk'), { what: 'the first chunk', everyMs: 5 });
    await first.close();
    expect(first.isTaking()).toBe(false);
    // It was not cancelled: whoever answers goes on, and its outcome is the one that is recorded.
    expect(first.answering.aborted).toEqual([]);
    const second = await startWorkerOn(bus, config);
    const received = await caller.ended();
    expect(second.answering.asked).toMatchObject([{ requestId: 'handed-over', retryable: true }]);
    expect(received.at(-1)).toMatchObject({ message: { type: 'final', chunks: 3 } });
    await eventually(() => first.answering.left.length === 1, { what: 'the first answer to be over' });
    expect(caller.received.filter(({ message }) => message.type === 'final')).toHaveLength(1);
  });

  it('lets what is under way end on closing', async () => {
    const { caller, worker } = await startAll(
      scriptedAnswering((request) => [started(request), text('Twen'), { kind: 'pause', ms: 200 }, text('ty'), finished()]),
    );
    caller.publish('switchyard.request.default', chatBody({ stream: true }), { reply: caller.inbox });
    await eventually(() => caller.received.some(({ message }) => message.type === 'chunk'), { what: 'the first chunk', everyMs: 5 });
    await worker.close();
    expect((await caller.ended()).at(-1)).toMatchObject({ message: { type: 'final', seq: 3 } });
  });
});

describe('a connection that breaks in the middle of an answer', () => {
  it('does not lose the answer: it is given anew', async () => {
    const own = await startTestNats();
    try {
      const config = natsConfig();
      const bus = await openTestBus(own, config);
      await startGatewayOn(bus, config);
      const back = Promise.withResolvers<void>();
      const wait = { kind: 'wait', until: back.promise } as const;
      let calls = 0;
      const { answering } = await startWorkerOn(
        bus,
        config,
        scriptedAnswering((request) =>
          ++calls === 1
            ? [started(request), text('Twen'), wait, text('ty'), finished()]
            : [wait, started(request), text('Twen'), text('ty'), finished()],
        ),
      );
      const caller = await openCaller(own);
      caller.publish('switchyard.request.default', chatBody({ stream: true }), { reply: caller.inbox });
      await eventually(() => caller.received.some(({ message }) => message.type === 'chunk'), { what: 'the first chunk', everyMs: 5 });
      await own.kill9();
      await own.restart();
      // What is said while the caller is away is lost to it.
      await eventually(() => caller.nc.flush().then(() => true));
      back.resolve();
      const again = await eventually(
        () => attemptsOf(caller.received)[1]?.find(({ type }) => type === 'final') && attemptsOf(caller.received)[1],
        { what: 'the answer given anew', everyMs: 5 },
      );
      expect(again).toMatchObject([
        { type: 'chunk', seq: 1, text: 'Twen' },
        { type: 'chunk', seq: 2, text: 'ty' },
        { type: 'final', seq: 3, chunks: 2 },
      ]);
      expect(answering.asked.length).toBeGreaterThan(1);
    } finally {
      await own.stop();
    }
  });
});
