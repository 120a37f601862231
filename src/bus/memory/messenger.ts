import { PermanentError } from '../../errors.ts';
import type { Asked, IncomingMessage, Messenger } from '../messenger.ts';
import type { Clock } from './clock.ts';
import { maxPayloadBytes } from './shelf.ts';

/** Subjects with wildcards and queue groups, in memory. Messages arrive later than `publish` returns, as they do over a network. */
type Member = {
  readonly pattern: readonly string[];
  readonly queue: string | undefined;
  readonly handler: (message: IncomingMessage) => void;
};

export const createMemoryMessenger = (clock: Clock): Messenger => {
  const members = new Set<Member>();
  const turns = new Map<string, number>();
  let inboxes = 0;

  /** Everybody without a queue name, and one of each queue in turn. */
  const receivers = (subject: string): readonly Member[] => {
    const tokens = subject.split('.');
    const matching = [...members].filter((member) => matches(member.pattern, tokens));
    const queues = Map.groupBy(matching, (member) => member.queue);
    return [...queues].flatMap(([queue, group]) => {
      if (queue === undefined) return group;
      const turn = turns.get(queue) ?? 0;
      turns.set(queue, turn + 1);
      return group.slice(turn % group.length, (turn % group.length) + 1);
    });
  };

  const send = (message: IncomingMessage): number => {
    if (message.body.length > maxPayloadBytes)
      throw new PermanentError(
        'too-large',
        `expected at most ${maxPayloadBytes} bytes, a message to ${message.subject} has ${message.body.length}`,
      );
    const to = receivers(message.subject);
    for (const member of to)
      setImmediate(() => {
        if (members.has(member)) member.handler(message);
      });
    return to.length;
  };

  const subscribe: Messenger['subscribe'] = (subject, handler, options) => {
    const member: Member = { pattern: subject.split('.'), queue: options?.queue, handler };
    members.add(member);
    return {
      ready: Promise.resolve(),
      close: async () => {
        members.delete(member);
      },
    };
  };

  const ask: Messenger['ask'] = (subject, body, { timeoutMs }) =>
    new Promise<Asked>((resolve) => {
      const reply = `_INBOX.${++inboxes}`;
      const answer = (asked: Asked) => {
        stopTimer();
        void subscription.close();
        resolve(asked);
      };
      const subscription = subscribe(reply, (message) => {
        answer({ kind: 'answer', body: message.body, headers: message.headers });
      });
      const stopTimer = clock.after(timeoutMs, () => {
        answer({ kind: 'timeout' });
      });
      if (send({ subject, headers: {}, body, reply }) === 0) answer({ kind: 'no-responder' });
    });

  return {
    publish: (subject, body, headers = {}) => void send({ subject, headers, body, reply: undefined }),
    flush: () => new Promise((resolve) => setImmediate(resolve)),
    ask,
    subscribe,
  };
};

const matches = (pattern: readonly string[], tokens: readonly string[]): boolean => {
  for (const [i, expected] of pattern.entries()) {
    if (expected === '>') return tokens.length > i;
    if (tokens[i] === undefined || (expected !== '*' && expected !== tokens[i])) return false;
  }
  return pattern.length === tokens.length;
};
