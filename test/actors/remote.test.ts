import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isWorking, serveLiveness } from '../../src/actors/host-liveness.ts';
import { askRemote, serveActor } from '../../src/actors/remote.ts';
import type { StreamerReply } from '../../src/actors/streamer.ts';
import { PermanentError, TransientError } from '../../src/errors.ts';
import { requestIdSchema } from '../../src/events/index.ts';
import { createTestBus, endOf, eventsOfType, request, startActors, tenant, textOf, type TestActors } from './support/actors.ts';

const schema = z.object({ double: z.number() });
const given = (handle: (command: { readonly double: number }) => unknown = ({ double }) => 2 * double) => {
  const { messenger } = createTestBus();
  serveActor(messenger, 'router', schema, handle);
  return { messenger, ask: (command: unknown) => askRemote(messenger, 'router', command) };
};
const encode = (text: string) => new TextEncoder().encode(text);

describe('an actor in another process', () => {
  it('answers as one in this process does', async () => {
    await expect(given().ask({ double: 21 })).resolves.toBe(42);
  });

  it('that cannot answer now says so with its own code and pause', async () => {
    const { ask } = given(() => {
      throw new TransientError('actor-not-live', 'router is rebuilding', 200);
    });
    await expect(ask({ double: 1 })).rejects.toMatchObject({ name: 'TransientError', code: 'actor-not-live', retryAfterMs: 200 });
  });

  it('that fails in an unforeseen way says that, and nothing of what it was handling', async () => {
    const { ask } = given(() => {
      throw new TypeError('no idea what Sesame means');
    });
    await expect(ask({ double: 1 })).rejects.toMatchObject({
      name: 'TransientError',
      code: 'actor-failed',
      message: 'the command could not be handled',
    });
  });

  it.each([
    ['another schema', JSON.stringify({ double: 'Sesame' })],
    ['no JSON', 'Sesame opens'],
  ])('refuses a command of %s without repeating it, and goes on', async (_, body) => {
    const { messenger, ask } = given();
    const asked = await messenger.ask('switchyard.actor.router', encode(body), { timeoutMs: 1_000 });
    const answer = new TextDecoder().decode(asked.kind === 'answer' ? asked.body : encode('none'));
    expect(JSON.parse(answer)).toMatchObject({ ok: false, code: 'actor-misunderstood' });
    expect(answer).not.toContain('Sesame');
    await expect(ask({ double: 1 })).resolves.toBe(2);
  });

  it('whose answer is too large for a message says so', async () => {
    const { ask } = given(() => 'x'.repeat(9 * 1024 ** 2));
    await expect(ask({ double: 1 })).rejects.toMatchObject({ name: 'TransientError', code: 'too-large' });
  });

  it('that nobody is: known at once', async () => {
    await expect(askRemote(createTestBus().messenger, 'cache', {})).rejects.toMatchObject({
      name: 'TransientError',
      code: 'cache-no-responder',
    });
  });

  it('that says nothing: given up after two seconds', async () => {
    const { messenger } = createTestBus();
    messenger.subscribe('switchyard.actor.router', () => undefined);
    await expect(askRemote(messenger, 'router', {})).rejects.toMatchObject({ name: 'TransientError', code: 'router-timeout' });
  });

  it.each(['not JSON', '{"ok":"perhaps"}'])('that answers %s is not understood', async (body) => {
    const { messenger } = createTestBus();
    messenger.subscribe('switchyard.actor.router', ({ reply }) => {
      messenger.publish(reply ?? '', encode(body));
    });
    await expect(askRemote(messenger, 'router', {})).rejects.toMatchObject({ name: 'TransientError', code: 'actor-misunderstood' });
  });
});

describe('whether a process works on a request', () => {
  const asked = { tenant, requestId: requestIdSchema.parse('r') };
  const register = (reply: () => StreamerReply) => {
    const { messenger } = createTestBus();
    serveLiveness(messenger, 'host-a', { ask: reply });
    return isWorking(messenger, 'host-a', asked);
  };

  it('is what its register says', async () => {
    expect(await register(() => ({ kind: 'working', working: true }))).toBe(true);
    expect(await register(() => ({ kind: 'working', working: false }))).toBe(false);
  });

  it('is no where nobody listens', async () => {
    expect(await isWorking(createTestBus().messenger, 'host-a', asked)).toBe(false);
  });

  it('is taken for granted where the register cannot be read, or the process is frozen', async () => {
    const { messenger } = createTestBus();
    messenger.subscribe('switchyard.host.host-a', () => undefined);
    const answers = await Promise.all([
      isWorking(messenger, 'host-a', asked),
      register(() => {
        throw new TransientError('actor-not-live', 'streamer is dead', 200);
      }),
    ]);
    expect(answers).toEqual([true, true]);
  });
});

describe('roles in processes of their own', () => {
  const opened: TestActors[] = [];
  afterEach(async () => {
    for (const actors of opened.splice(0).reverse()) await actors.close();
  });
  const start = async (options: Parameters<typeof startActors>[0]) => {
    const actors = await startActors(options);
    opened.push(actors);
    return actors;
  };

  it('answer together, from the cache too, and a retry finds its answer', async () => {
    const bus = createTestBus();
    await start({ bus, roles: ['router'], instance: 'router-1' });
    await start({ bus, roles: ['cache'], instance: 'cache-1' });
    const { ask } = await start({ bus, roles: ['streamer'], instance: 'streamer-1' });
    const first = await ask(request({ id: 'r', content: 'same', retryable: true }));
    expect(textOf(await ask(request({ id: 'r', content: 'same', retryable: true })))).toBe(textOf(first));
    // The cache's process learns of the stored answer from the log.
    await expect.poll(async () => (await ask(request({ content: 'same' })))[0]).toMatchObject({ cache: 'hit' });
    expect(await eventsOfType(bus, 'response.completed', 'r')).toHaveLength(1);
  });

  it('go on without the cache, and not without the router', async () => {
    const bus = createTestBus();
    const router = await start({ bus, roles: ['router'], instance: 'router-1' });
    const { ask } = await start({ bus, roles: ['streamer'], instance: 'streamer-1' });
    expect(endOf(await ask(request())).kind).toBe('finished');
    expect(await eventsOfType(bus, 'cache.stored')).toEqual([]);
    await router.yard.close();
    expect(endOf(await ask(request()))).toMatchObject({ kind: 'failed', error: { code: 'unavailable' } });
  });
});

it('a permanent refusal of the messenger is not taken for a passing one', async () => {
  const { messenger } = createTestBus();
  await expect(askRemote(messenger, 'cache', 'x'.repeat(9 * 1024 ** 2))).rejects.toThrow(PermanentError);
});
