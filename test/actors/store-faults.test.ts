import { filingOf } from '../../src/domain/routing/filing.ts';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { PermanentError } from '../../src/errors.ts';
import { idempotencyIds, requestIdSchema } from '../../src/events/index.ts';
import { failureEvents } from '../../src/actors/outcome.ts';
import { testSettings } from '../support/settings.ts';
import {
  createTestBus,
  endOf,
  errorOf,
  eventsOfType,
  request,
  restOf,
  shapeOf,
  startActors,
  tenant,
  textOf,
  typesOf,
  type TestActors,
} from './support/actors.ts';
import { away, losesAcknowledgements, withAnswers, withLog } from './support/faults.ts';
import { simulatedModel } from './support/models.ts';

/** Log and answer store that fail at the worst moments. */
const opened: TestActors[] = [];
afterEach(async () => {
  for (const actors of opened.splice(0)) await actors.close();
});

const given = async (bus: Bus, options: Parameters<typeof startActors>[0] = {}): Promise<TestActors> => {
  const actors = await startActors({ config: simulatedModel(), ...options, bus });
  opened.push(actors);
  return actors;
};
const retryable = (id: string, content = id) => request({ id, content, retryable: true });
const completion = ['response.completed', 'reward.recorded', 'cache.stored', 'feedback.received'];

describe('a lost acknowledgement', () => {
  it('of every first append: nothing is recorded twice, and the caller notices nothing', async () => {
    const bus = createTestBus();
    const { ask } = await given(withLog(bus, (log) => losesAcknowledgements(log, (_, attempt) => attempt === 1)));
    expect(shapeOf(await ask(request({ content: 'same' })))).toBe('started delta finished');
    expect((await ask(request({ content: 'same' })))[0]).toMatchObject({ cache: 'hit' });
    const revision = 'reward.recorded';
    expect((await typesOf(bus)).filter(([type]) => type !== revision)).toEqual([
      ['route.decided'],
      completion,
      ['cache.hit', 'response.completed', 'reward.recorded'],
    ]);
  });
});

describe('a log that is away', () => {
  it('for a moment: the request waits for it', async () => {
    const bus = createTestBus();
    let refusals = 3;
    const { ask } = await given(
      withLog(bus, (log) => ({
        append: async (events, options) => {
          if (events[0].type !== 'policy.activated' && refusals-- > 0) throw away();
          return log.append(events, options);
        },
      })),
    );
    expect(shapeOf(await ask(request()))).toBe('started delta finished');
  });

  it('when a decision should be recorded: no model is asked, and the caller is told to come again', async () => {
    const bus = createTestBus();
    let calls = 0;
    const { ask } = await given(
      withLog(bus, (log) => ({
        append: async (events, options) => {
          if (events[0].type === 'route.decided') throw away();
          return log.append(events, options);
        },
      })),
      {
        config: { ...simulatedModel(), requests: { deadlineMs: 3_000 } },
        around: (provider) => ({ ...provider, answer: (call) => (calls++, provider.answer(call)) }),
      },
    );
    expect(errorOf(await ask(request()))).toMatchObject({ code: 'unavailable', retryAfterMs: 1 });
    expect(calls).toBe(0);
    expect(await typesOf(bus)).toEqual([]);
  });

  it('when an outcome should be recorded: the answer is not told to be finished', async () => {
    const bus = createTestBus();
    const { ask } = await given(
      withLog(bus, (log) => ({
        append: async (events, options) => {
          if (events[0].type === 'response.completed') throw away();
          return log.append(events, options);
        },
      })),
      { config: { ...simulatedModel(), requests: { deadlineMs: 3_000 } } },
    );
    const answer = await ask(request());
    expect(shapeOf(answer)).toBe('started delta failed');
    expect(errorOf(answer).code).toBe('unavailable');
  });
});

/** A process that dies after it has kept an answer and before it has recorded it. */
const diesBefore = (bus: Bus, type: 'response.completed' | 'cache.hit', times = Infinity): Bus => {
  let left = times;
  return withLog(bus, (log) => ({
    append: async (events, options) => {
      if (events[0].type === type && left-- > 0) throw new PermanentError('died', 'died here');
      return log.append(events, options);
    },
  }));
};

describe('an answer that was kept and not recorded', () => {
  it('is recorded and given by the next attempt, and the model is not asked again', async () => {
    const bus = createTestBus();
    const dying = await given(diesBefore(bus, 'response.completed'), { instance: 'host-dead' });
    expect(errorOf(await dying.ask(retryable('r'))).code).toBe('interrupted');
    await dying.yard.close();

    let calls = 0;
    const { ask } = await given(bus, { around: (provider) => ({ ...provider, answer: (call) => (calls++, provider.answer(call)) }) });
    const again = await ask(retryable('r'));
    expect(endOf(again)).toMatchObject({ kind: 'finished', repeated: true });
    expect(calls).toBe(0);
    expect((await typesOf(bus)).slice(0, 2)).toEqual([['route.decided'], completion]);
    expect(textOf(await ask(retryable('r')))).toBe(textOf(again));
    expect(await eventsOfType(bus, 'response.completed')).toHaveLength(1);
  });

  it('loses against an outcome that the log holds: that one is told', async () => {
    const bus = createTestBus();
    const dying = await given(diesBefore(bus, 'response.completed'), { instance: 'host-dead' });
    await dying.ask(retryable('r'));
    await dying.yard.close();
    await closedBySomebody(bus, 'r');

    const { ask } = await given(bus);
    expect(errorOf(await ask(retryable('r'))).code).toBe('interrupted');
    expect(await eventsOfType(bus, 'response.completed')).toEqual([]);
  });

  it('from the cache: the same process records and gives it', async () => {
    const bus = createTestBus();
    const { ask } = await given(diesBefore(bus, 'cache.hit', 1));
    const made = await ask(request({ content: 'same' }));
    expect(errorOf(await ask(retryable('hit', 'same'))).code).toBe('interrupted');
    const again = await ask(retryable('hit', 'same'));
    expect(textOf(again)).toBe(textOf(made));
    expect(endOf(await ask(retryable('hit', 'same')))).toMatchObject({ kind: 'finished', repeated: true });
    expect(await eventsOfType(bus, 'cache.hit', 'hit')).toHaveLength(1);
  });

  it('from the cache: another process, whose cache is empty, asks a model', async () => {
    const bus = createTestBus();
    const dying = await given(diesBefore(bus, 'cache.hit'), { instance: 'host-dead' });
    await dying.ask(request({ content: 'same' }));
    await dying.ask(retryable('hit', 'same'));
    await dying.yard.close();
    const { ask } = await given(bus);
    expect(endOf(await ask(retryable('hit', 'same')))).toMatchObject({ kind: 'finished', repeated: false });
    expect(await eventsOfType(bus, 'response.completed', 'hit')).toHaveLength(1);
    expect(await eventsOfType(bus, 'cache.hit', 'hit')).toEqual([]);
  });

  it('from the cache: does not stand in the way of a decision that another process left open', async () => {
    const bus = createTestBus();
    const dying = await given(diesBefore(bus, 'cache.hit'), { instance: 'host-dead' });
    await dying.ask(request({ content: 'same' }));
    await dying.ask(retryable('hit', 'same'));
    await dying.yard.close();
    const another = await given(bus, { instance: 'host-dead-too' });
    await another.open(retryable('hit', 'same')).next();
    await another.yard.close();
    const { ask } = await given(bus);
    expect(endOf(await ask(retryable('hit', 'same')))).toMatchObject({ kind: 'finished', repeated: false });
    expect(await eventsOfType(bus, 'route.decided', 'hit')).toHaveLength(1);
  });

  it('stands against one that is made at the same time: it is recorded, and given to whoever comes again', async () => {
    const bus = createTestBus();
    const dying = await given(diesBefore(bus, 'response.completed'), { instance: 'host-dead' });
    const left = dying.open(retryable('r'));
    await left.next();
    await dying.yard.close();
    const { open, ask } = await given(bus);
    const second = open(retryable('r'));
    await second.next();
    expect(errorOf(await restOf(left)).code).toBe('interrupted');
    // Its own text has been told, and the log will hold the other answer.
    expect(errorOf(await restOf(second)).code).toBe('unavailable');
    expect(endOf(await ask(retryable('r')))).toMatchObject({ kind: 'finished', repeated: true });
    expect(await eventsOfType(bus, 'response.completed')).toHaveLength(1);
  });
});

describe('the store of answers', () => {
  it('away for a while: the answer waits, is recorded, and is there for a retry', async () => {
    const bus = createTestBus();
    let refusals = 3;
    const { ask } = await given(
      withAnswers(bus, (answers) => ({
        put: async (...given) => {
          if (refusals-- > 0) throw away();
          return answers.put(...given);
        },
      })),
    );
    const first = await ask(retryable('r'));
    expect(endOf(first)).toMatchObject({ kind: 'finished', repeated: false });
    expect(textOf(await ask(retryable('r')))).toBe(textOf(first));
  });

  it('that lost an acknowledgement holds the answer once, and it is told as this one', async () => {
    const bus = createTestBus();
    let lost = 1;
    const { ask } = await given(
      withAnswers(bus, (answers) => ({
        put: async (...given) => {
          const isFirst = await answers.put(...given);
          if (lost-- > 0) throw away();
          return isFirst;
        },
      })),
    );
    expect(endOf(await ask(retryable('r')))).toMatchObject({ kind: 'finished', repeated: false });
    expect(await eventsOfType(bus, 'response.completed')).toHaveLength(1);
  });

  it('away for good: the answer is given and recorded, and a retry hears that it was answered', async () => {
    const bus = createTestBus();
    const { ask } = await given(
      withAnswers(bus, () => ({
        put: async () => {
          throw away();
        },
      })),
      { config: { ...simulatedModel(), requests: { deadlineMs: 3_000 } } },
    );
    expect(endOf(await ask(retryable('r')))).toMatchObject({ kind: 'finished' });
    expect(errorOf(await ask(retryable('r'))).code).toBe('already_answered');
    expect(await eventsOfType(bus, 'route.decided')).toHaveLength(1);
    expect(await eventsOfType(bus, 'response.completed')).toHaveLength(1);
  });

  it('is not asked for a request that nobody can come back for', async () => {
    const bus = createTestBus();
    const { ask } = await given(
      withAnswers(bus, () => ({
        put: async () => {
          throw new PermanentError('not-asked', 'nobody asked for this');
        },
      })),
    );
    await ask(request({ id: 'r' }));
    expect(await bus.answers.get(tenant, requestIdSchema.parse('r'))).toBeNull();
  });
});

/** As a caretaker does. */
const closedBySomebody = async (bus: Bus, id: string): Promise<void> => {
  const [decision] = await eventsOfType(bus, 'route.decided', id);
  if (decision === undefined) throw new Error(`expected a decision for ${id}`);
  const requestId = requestIdSchema.parse(id);
  const { config } = testSettings();
  const events = failureEvents(
    { instance: 'another', nowMs: Date.now, config },
    { tenant, requestId, traceparent: undefined },
    { id: decision.id, filing: filingOf(decision) },
    {
      code: 'interrupted',
      detail: 'closed by somebody else',
      arm: decision.data.arm,
      model: decision.data.model,
      costNanoUsd: 0,
      promptTokens: 0,
      completionTokens: 0,
      latencyMs: 0,
      streamed: true,
      simulated: false,
    },
  );
  await bus.log.append(events, { idempotencyId: idempotencyIds.outcome(tenant, requestId) });
};

describe('an outcome that somebody else recorded while this one was under way', () => {
  it.each([false, true])('is told in place of an answer (somebody may come back for it: %s)', async (mayRetry) => {
    const bus = createTestBus();
    const { open } = await given(bus);
    const answer = open({ ...retryable('r'), retryable: mayRetry });
    await answer.next();
    await closedBySomebody(bus, 'r');
    const rest = await restOf(answer);
    expect(errorOf(rest)).toEqual({ code: 'interrupted', message: 'This request failed before: closed by somebody else.' });
    expect(await typesOf(bus)).toEqual([['route.decided'], ['response.failed', 'reward.recorded']]);
  });

  it('is told in place of a failure', async () => {
    const bus = createTestBus();
    const { open } = await given(bus, { config: simulatedModel({ errorRate: 1 }) });
    const answer = open(retryable('r'));
    await answer.next();
    await closedBySomebody(bus, 'r');
    expect(await answer.next()).toMatchObject({ value: { kind: 'failed', error: { code: 'interrupted' } } });
  });
});
