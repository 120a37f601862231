import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { IncomingMessage, Messenger } from '../../src/bus/messenger.ts';
import { eventually } from '../support/eventually.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);

/** What every messenger has to do, see src/bus/messenger.ts. */
export const describeMessenger = (name: string, fresh: () => Promise<Messenger>, close: () => Promise<void>): void => {
  describe(`messenger: ${name}`, () => {
    let messenger: Messenger;
    beforeEach(async () => {
      messenger = await fresh();
    });
    afterAll(close);

    const listen = async (subject: string, queue?: string) => {
      const messages: IncomingMessage[] = [];
      const subscription = messenger.subscribe(subject, (message) => messages.push(message), queue === undefined ? undefined : { queue });
      await subscription.ready;
      return { messages, subscription };
    };

    test('a message arrives with subject, headers and body, in order', async () => {
      const { messages } = await listen('chat.*.part');
      for (let n = 0; n < 100; n++) messenger.publish('chat.one.part', bytes(String(n)), { 'Switchyard-Part': String(n) });
      await messenger.flush();
      await eventually(() => messages.length === 100);
      expect(messages.map(({ body }) => Number(text(body)))).toEqual(Array.from({ length: 100 }, (_, n) => n));
      expect(messages[7]).toMatchObject({ subject: 'chat.one.part', headers: { 'Switchyard-Part': '7' }, reply: undefined });
    });

    test('wildcards match tokens, and nobody else hears', async () => {
      const all = await listen('a.>');
      const one = await listen('a.*');
      const other = await listen('b.>');
      messenger.publish('a.b', bytes('1'));
      messenger.publish('a.b.c', bytes('2'));
      await eventually(() => all.messages.length === 2 && one.messages.length === 1);
      expect(other.messages).toEqual([]);
    });

    test('each message goes to one member of a queue', async () => {
      const [a, b, watcher] = await Promise.all([listen('jobs', 'q'), listen('jobs', 'q'), listen('jobs')]);
      for (let n = 0; n < 50; n++) messenger.publish('jobs', bytes(String(n)));
      await eventually(() => watcher.messages.length === 50);
      await eventually(() => a.messages.length + b.messages.length >= 50);
      const seen = [...a.messages, ...b.messages].map(({ body }) => text(body));
      expect(new Set(seen).size).toBe(50);
      expect(seen).toHaveLength(50);
    });

    test('ask returns the answer of the one who serves', async () => {
      const serving = messenger.subscribe('double', (message) => {
        messenger.publish(message.reply ?? 'nowhere', bytes(String(2 * Number(text(message.body)))), { 'Switchyard-Host': 'me' });
      });
      await serving.ready;
      const asked = await messenger.ask('double', bytes('21'), { timeoutMs: 2_000 });
      expect(asked).toMatchObject({ kind: 'answer', headers: { 'Switchyard-Host': 'me' } });
      expect(asked.kind === 'answer' && text(asked.body)).toBe('42');
    });

    test('ask where nobody serves says so at once', async () => {
      const begunMs = Date.now();
      expect(await messenger.ask('nobody.here', bytes('?'), { timeoutMs: 5_000 })).toEqual({ kind: 'no-responder' });
      expect(Date.now() - begunMs).toBeLessThan(2_000);
    });

    test('ask of one who does not answer ends at its timeout', async () => {
      await listen('mute');
      expect(await messenger.ask('mute', bytes('?'), { timeoutMs: 100 })).toEqual({ kind: 'timeout' });
    });

    test('a closed subscription hears nothing more', async () => {
      const { messages, subscription } = await listen('news');
      messenger.publish('news', bytes('1'));
      await eventually(() => messages.length === 1);
      await subscription.close();
      messenger.publish('news', bytes('2'));
      await messenger.flush();
      const witness = await listen('news');
      messenger.publish('news', bytes('3'));
      await eventually(() => witness.messages.length === 1);
      expect(messages).toHaveLength(1);
    });

    test('a message that is too large is refused', () => {
      expect(() => {
        messenger.publish('big', new Uint8Array(9_000_000));
      }).toThrow(expect.objectContaining({ code: 'too-large' }));
    });
  });
};
