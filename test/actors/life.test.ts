import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { createLife, judge } from '../../src/actors/life.ts';
import { InvariantError } from '../../src/errors.ts';
import { sequence } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
import { counting, entryOf, upTo, type Counting, type CountingCommand } from './support/counting.ts';

/** One actor without its supervisor: what it went through, what it died of, and what it says. */
const given = (changes: Partial<Counting> = {}) => {
  const concern = counting(changes);
  const actor = createActor(createLife(concern));
  const phases: string[] = [];
  const deaths: unknown[] = [];
  actor.subscribe({ next: ({ value }) => phases.at(-1) === value || phases.push(value), error: (error) => deaths.push(error) });
  actor.start();
  const command = (asked: CountingCommand) => judge(concern, actor, asked);
  return {
    actor,
    phases,
    deaths,
    command,
    start: (atLeast = 0) => {
      actor.send({ type: 'start', atLeast: sequence(atLeast) });
    },
    logged: (...numbers: readonly number[]) => {
      for (const n of numbers) actor.send({ type: 'logged', entry: entryOf(n) });
    },
    live: () => eventually(() => phases.at(-1) === 'live'),
  };
};

/** A rebuild that ends when it is told to. */
const slow = () => {
  const { promise, resolve, reject } = Promise.withResolvers<{ state: readonly number[]; sequence: ReturnType<typeof sequence> }>();
  return {
    rebuild: () => promise,
    done: (last: number) => {
      resolve({ state: upTo(last), sequence: sequence(last) });
    },
    fails: reject,
  };
};

describe('the phases', () => {
  it('go from starting over rebuilding to live, to degraded and back, to draining and stopped', async () => {
    const life = given();
    life.start();
    await life.live();
    for (const type of ['connection.lost', 'connection.restored', 'drain', 'stop'] as const) life.actor.send({ type });
    expect(life.phases).toEqual(['starting', 'rebuilding', 'live', 'degraded', 'live', 'draining', 'stopped']);
    expect(life.deaths).toEqual([]);
  });

  it('answer commands while live, degraded and draining, and refuse them before, with the phase', async () => {
    const rebuild = slow();
    const life = given(rebuild);
    expect(life.command('report')).toEqual({ kind: 'refused', phase: 'starting' });
    life.start();
    expect(life.command('report')).toEqual({ kind: 'refused', phase: 'rebuilding' });
    rebuild.done(2);
    await life.live();
    for (const type of ['connection.lost', 'connection.restored', 'drain'] as const) {
      life.actor.send({ type });
      expect(life.command('report')).toEqual({ kind: 'reply', reply: [1, 2] });
    }
  });

  it('fold entries while degraded and draining too', async () => {
    const life = given();
    life.start();
    await life.live();
    life.actor.send({ type: 'connection.lost' });
    life.logged(1);
    life.actor.send({ type: 'drain' });
    life.logged(2);
    expect(life.command('report')).toEqual({ kind: 'reply', reply: [1, 2] });
  });

  it('given a stop while it rebuilds, then the rebuild is told', async () => {
    const signals: AbortSignal[] = [];
    const life = given({
      rebuild: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    life.start();
    life.actor.send({ type: 'stop' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});

describe('the state is the fold of an exact prefix', () => {
  it('given entries while it starts and rebuilds, then those that the rebuild did not hold are folded after it', async () => {
    const rebuild = slow();
    const life = given(rebuild);
    life.logged(3);
    life.start(2);
    life.logged(4, 5);
    rebuild.done(4);
    await life.live();
    expect(life.command('report')).toEqual({ kind: 'reply', reply: [1, 2, 3, 4, 5] });
  });

  it('given an entry twice, then it is folded once', async () => {
    const life = given();
    life.start();
    await life.live();
    life.logged(1, 2, 1, 2, 3);
    expect(life.command('report')).toEqual({ kind: 'reply', reply: [1, 2, 3] });
  });

  it('given a gap, then it dies of it', async () => {
    const life = given();
    life.start();
    await life.live();
    life.logged(1, 3);
    expect(life.deaths).toEqual([new InvariantError('router: expected log sequence 2, got 3')]);
  });

  it('given a gap among what waited, then it never comes to life', async () => {
    const rebuild = slow();
    const life = given(rebuild);
    life.start();
    life.logged(2, 4);
    rebuild.done(2);
    await eventually(() => life.deaths.length === 1);
    expect(life.phases).not.toContain('live');
  });

  it('given a rebuild that does not reach what was handed out already, then it dies rather than decide on an older state', async () => {
    const rebuild = slow();
    const life = given(rebuild);
    life.start(7);
    rebuild.done(6);
    await eventually(() => life.deaths.length === 1);
    expect(life.deaths[0]).toBeInstanceOf(InvariantError);
    expect(life.phases).not.toContain('live');
  });

  it('given more entries than it keeps while rebuilding, then it dies, and a later rebuild begins further on', () => {
    const life = given(slow());
    life.start();
    for (let n = 1; n <= 50_001 && life.deaths.length === 0; n++)
      life.actor.send({ type: 'logged', entry: { ...entryOf(1), sequence: sequence(n) } });
    expect(life.deaths).toEqual([new InvariantError('router: more than 50000 entries arrived while rebuilding')]);
  });
});

describe('a fault', () => {
  it('in a command: the asker learns of it, and it dies', async () => {
    const life = given();
    life.start();
    await life.live();
    expect(life.command('throw')).toEqual({ kind: 'crashed', error: new TypeError('told to') });
    expect(life.deaths).toEqual([new TypeError('told to')]);
  });

  it('in the fold or in the rebuild: it dies of it', async () => {
    const folding = given({
      evolve: () => {
        throw new TypeError('cannot fold');
      },
    });
    folding.start();
    await folding.live();
    folding.logged(1);
    expect(folding.deaths).toEqual([new TypeError('cannot fold')]);

    const rebuild = slow();
    const rebuilding = given(rebuild);
    rebuilding.start();
    rebuild.fails(new TypeError('cannot read'));
    await eventually(() => rebuilding.deaths.length === 1);
    expect(rebuilding.deaths).toEqual([new TypeError('cannot read')]);
  });
});
