import { assign, fromPromise, setup, type ActorRefFrom } from 'xstate';
import type { LogEntry } from '../bus/event-log.ts';
import { InvariantError } from '../errors.ts';
import { sequence, type Sequence } from '../events/index.ts';
import type { Concern, Rebuilt } from './concern.ts';

/**
 * The life that every actor leads:
 *
 *   starting -> rebuilding -> live <-> degraded -> draining -> stopped
 *
 * 1. The state is always the fold of an exact prefix of the log: entries arrive in order, one already folded is skipped, a gap is an invariant
 *    broken and ends the actor, whose supervisor starts another that is rebuilt from the log.
 * 2. A command is judged on the state as it stands, in the asker's turn, or refused: nobody waits for an actor that cannot answer. It is no event of the machine, for it
 *    changes no phase; one that throws ends the actor.
 * 3. Entries that arrive while it rebuilds are kept (bounded) and folded after.
 *
 * It knows nothing of routing or caching: that is the concern's.
 */
export type ActorEvent =
  | { readonly type: 'start'; readonly atLeast: Sequence }
  | { readonly type: 'logged'; readonly entry: LogEntry }
  | { readonly type: 'connection.lost' }
  | { readonly type: 'connection.restored' }
  | { readonly type: 'drain' }
  | { readonly type: 'crashed'; readonly error: unknown }
  | { readonly type: 'stop' };

export type CommandOutcome<Reply> =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'refused'; readonly phase: string }
  | { readonly kind: 'crashed'; readonly error: unknown };

type Context<State> = {
  /** Null until rebuilt. */
  readonly state: State | null;
  readonly sequence: Sequence;
  readonly atLeast: Sequence;
  /** Owned by the actor and filled in place. */
  readonly waiting: LogEntry[];
};

/** Entries kept while rebuilding; with more the rebuild starts again from a later log. */
const waitingLimit = 50_000;

export const createLife = <State, Command, Reply>(concern: Concern<State, Command, Reply>) => {
  const fold = (context: Context<State>, entry: LogEntry): Context<State> => {
    if (context.state === null) throw new InvariantError(`${concern.role}: an entry was folded before the state was rebuilt`);
    if (entry.sequence <= context.sequence) return context;
    if (entry.sequence !== context.sequence + 1)
      throw new InvariantError(`${concern.role}: expected log sequence ${context.sequence + 1}, got ${entry.sequence}`);
    return { ...context, state: concern.evolve(context.state, entry), sequence: entry.sequence };
  };

  const takeOver = (context: Context<State>, rebuilt: Rebuilt<State>): Context<State> => {
    if (rebuilt.sequence < context.atLeast)
      throw new InvariantError(`${concern.role}: expected a state of at least log sequence ${context.atLeast}, got ${rebuilt.sequence}`);
    return context.waiting.reduce(fold, { ...context, ...rebuilt, waiting: [] });
  };

  return setup({
    types: {
      context: {} as Context<State>,
      events: {} as ActorEvent,
    },
    actors: {
      rebuild: fromPromise<Rebuilt<State>, { readonly atLeast: Sequence }>(({ input, signal }) =>
        concern.rebuild({ atLeast: input.atLeast, signal }),
      ),
    },
    actions: {
      keep: assign(({ context, event }) => {
        if (event.type !== 'logged') return {};
        if (context.waiting.length >= waitingLimit)
          throw new InvariantError(`${concern.role}: more than ${waitingLimit} entries arrived while rebuilding`);
        context.waiting.push(event.entry);
        return {};
      }),
      fold: assign(({ context, event }) => (event.type === 'logged' ? fold(context, event.entry) : {})),
      fail: (_, params: { readonly error: unknown }) => {
        throw params.error;
      },
    },
  }).createMachine({
    id: concern.role,
    initial: 'starting',
    context: () => ({ state: null, sequence: sequence(0), atLeast: sequence(0), waiting: [] }),
    on: { stop: '.stopped', crashed: { actions: { type: 'fail', params: ({ event }) => ({ error: event.error }) } } },
    states: {
      starting: {
        on: {
          start: { target: 'rebuilding', actions: assign({ atLeast: ({ event }) => event.atLeast }) },
          logged: { actions: 'keep' },
        },
      },
      rebuilding: {
        invoke: {
          src: 'rebuild',
          input: ({ context }) => ({ atLeast: context.atLeast }),
          onDone: {
            target: 'live',
            actions: assign(({ context, event }) => takeOver(context, event.output)),
          },
          onError: { actions: { type: 'fail', params: ({ event }) => ({ error: event.error }) } },
        },
        on: { logged: { actions: 'keep' } },
      },
      live: {
        on: {
          logged: { actions: 'fold' },
          'connection.lost': 'degraded',
          drain: 'draining',
        },
      },
      /** Cut off from the log: it answers from the state it has. What it answers cannot be appended, so nothing is promised. */
      degraded: {
        on: {
          logged: { actions: 'fold' },
          'connection.restored': 'live',
          drain: 'draining',
        },
      },
      /** What is under way may still ask; the process begins nothing new. */
      draining: { on: { logged: { actions: 'fold' } } },
      stopped: { type: 'final' },
    },
  });
};

export type Life<State, Command, Reply> = ReturnType<typeof createLife<State, Command, Reply>>;
export type LifeRef<State, Command, Reply> = ActorRefFrom<Life<State, Command, Reply>>;

const judging: ReadonlySet<string> = new Set(['live', 'degraded', 'draining']);

export const judge = <State, Command, Reply>(
  concern: Pick<Concern<State, Command, Reply>, 'handle'>,
  actor: LifeRef<State, Command, Reply>,
  command: Command,
): CommandOutcome<Reply> => {
  const { value: phase, context } = actor.getSnapshot();
  if (context.state === null || !judging.has(phase)) return { kind: 'refused', phase };
  try {
    return { kind: 'reply', reply: concern.handle(command, context.state) };
  } catch (error) {
    // The asker learns of it, and the actor dies of it: its state may be wrong.
    actor.send({ type: 'crashed', error });
    return { kind: 'crashed', error };
  }
};
