import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRouterState } from '../../../src/domain/routing/state.ts';
import { sequence } from '../../../src/events/index.ts';
import type { Message } from '../../../src/replay/again/messages.ts';
import { walkDecisions, type Walk } from '../../../src/replay/again/walk.ts';
import { decided } from '../../support/projection-events.ts';
import { all, streamOf } from '../support/decided-log.ts';

const longestLag = 12;

/** Message i + 1 holds a decision or nothing, is missing, or comes twice; the decision names a state so far back. */
const anyLog = fc.array(
  fc.record({
    kind: fc.constantFrom('decision', 'decision', 'nothing', 'missing', 'twice'),
    behind: fc.integer({ min: 1, max: longestLag }),
  }),
  { maxLength: 80 },
);
type Planned = typeof anyLog extends fc.Arbitrary<infer Log> ? Log : never;

const messagesOf = (plan: Planned): readonly Message[] =>
  plan.flatMap(({ kind, behind }, i) => {
    const at = i + 1;
    const events = kind === 'nothing' ? [] : [decided(at, { stateSequence: sequence(Math.max(0, at - behind)) })];
    const message: Message = { sequence: at, storedAtMs: at, events, unreadable: null, lacksReward: false };
    return kind === 'missing' ? [] : kind === 'twice' ? [message, message] : [message];
  });

const folded = ({ chosen }: ReturnType<typeof emptyRouterState>): number =>
  [...chosen.values()].reduce((sum, { decided: count }) => sum + count, 0);

const walk = (messages: AsyncIterable<Message>, options: Partial<Walk<readonly [number, number]>> = {}) =>
  all(
    walkDecisions({
      messages,
      state: emptyRouterState(),
      wants: () => true,
      judge: (_, state) => [state.sequence, folded(state)] as const,
      lagMessages: longestLag,
      ...options,
    }),
  );

describe('every decision', () => {
  it('meets the fold of exactly the messages up to the state that it names, in the order of the log', async () => {
    await fc.assert(
      fc.asyncProperty(anyLog, async (plan) => {
        const messages = messagesOf(plan);
        const once = [...new Map(messages.map((message) => [message.sequence, message])).values()];
        const decisions = once.filter(({ events }) => events.length > 0);
        const met = await walk(streamOf(messages));
        expect(met.map((one) => one.kind === 'judged' && [one.decision.sequence, ...one.verdict])).toEqual(
          decisions.map(({ sequence: at, events: [event] }) => {
            const named = event?.type === 'route.decided' ? event.data.stateSequence : -1;
            return [at, named, decisions.filter((other) => other.sequence <= named).length];
          }),
        );
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it('is handed out when no more than the allowed messages have been read after it', async () => {
    let read = 0;
    async function* counted(): AsyncGenerator<Message, void, undefined> {
      for await (const message of streamOf(messagesOf(Array.from({ length: 200 }, () => ({ kind: 'decision' as const, behind: 3 }))))) {
        read++;
        yield message;
      }
    }
    const met = walkDecisions({ messages: counted(), state: emptyRouterState(), wants: () => true, judge: () => null, lagMessages: 5 });
    for await (const one of met) if (one.kind === 'judged') expect(read - one.decision.sequence).toBeLessThan(5);
  });
});

it('tells what the fold lacks, each once', async () => {
  const messages = messagesOf(Array.from({ length: 20 }, () => ({ kind: 'decision' as const, behind: 1 })))
    .filter(({ sequence: at }) => at !== 4 && at !== 5 && at !== 9)
    .map((message) => (message.sequence === 12 || message.sequence === 13 ? { ...message, lacksReward: true } : message));
  const seen: unknown[] = [];
  await walk(streamOf(messages), {
    judge: (decision, state, { missing, withoutReward }) => {
      if ([3, 6, 10, 15].includes(decision.sequence)) seen.push([missing, withoutReward]);
      return [state.sequence, 0];
    },
  });
  expect(seen).toEqual([
    [null, null],
    [{ first: 4, count: 2 }, null],
    [{ first: 4, count: 3 }, null],
    [
      { first: 4, count: 3 },
      { first: 12, count: 2 },
    ],
  ]);
});
