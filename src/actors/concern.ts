import type { LogEntry } from '../bus/event-log.ts';
import type { Sequence } from '../events/index.ts';

/**
 * One concern of the yard, as an actor sees it: how its state is rebuilt, how it answers a command, how it takes in what the log says.
 * The judgement itself is in src/domain; a concern only joins it to the log.
 */
export type Concern<State, Command, Reply> = {
  readonly role: Role;
  /** Whether the log changes its state. One whose state does not depend on the log is spared the entries, which cost an actor microseconds each. */
  readonly follows: boolean;
  /** Reads the state out of the log (and its derivatives), at least up to `atLeast`. */
  readonly rebuild: (options: { readonly atLeast: Sequence; readonly signal: AbortSignal }) => Promise<Rebuilt<State>>;
  readonly handle: (command: Command, state: State) => Reply;
  readonly evolve: (state: State, entry: LogEntry) => State;
};

export type Rebuilt<State> = { readonly state: State; readonly sequence: Sequence };

/** Parts of the yard that can live in processes of their own. */
export const roles = ['gateway', 'router', 'cache', 'streamer'] as const;
export type Role = (typeof roles)[number];
