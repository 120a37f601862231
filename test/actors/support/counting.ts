import type { LogEntry } from '../../../src/bus/event-log.ts';
import { sequence } from '../../../src/events/index.ts';
import type { Concern } from '../../../src/actors/concern.ts';
import { sampleBatch } from '../../support/sample-events.ts';

/** The simplest concern: it remembers the sequences that it has folded, and does as it is told. */
export type CountingCommand = 'report' | 'throw';
export type Counting = Concern<readonly number[], CountingCommand, readonly number[]>;

export const counting = (changes: Partial<Counting> = {}): Counting => ({
  role: 'router',
  follows: true,
  rebuild: async ({ atLeast }) => ({ sequence: atLeast, state: Array.from({ length: atLeast }, (_, i) => i + 1) }),
  handle: (command, state) => {
    if (command === 'throw') throw new TypeError('told to');
    return state;
  },
  evolve: (state, entry) => [...state, entry.sequence],
  ...changes,
});

export const entryOf = (n: number): LogEntry => ({ kind: 'events', sequence: sequence(n), storedAtMs: n, events: sampleBatch(n) });

export const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, i) => i + 1);
