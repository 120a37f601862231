import type { EventLog, LogBounds, LogEntry } from '../bus/event-log.ts';
import { sequence, type SwitchyardEvent } from '../events/index.ts';

/** An event and where it stands, or a message that cannot be understood. */
export type Found =
  | { readonly kind: 'event'; readonly sequence: number; readonly index: number; readonly event: SwitchyardEvent }
  | { readonly kind: 'poison'; readonly sequence: number; readonly entry: Extract<LogEntry, { kind: 'poison' }> };

export type Wanted = {
  readonly event: (event: SwitchyardEvent) => boolean;
  /** Nobody can say of what type or request it is: it is wanted where nothing is filtered. */
  readonly poison: boolean;
};

/** What is wanted of one message, in its order. */
export const foundIn = (entry: LogEntry, wanted: Wanted): readonly Found[] => {
  if (entry.kind === 'poison') return wanted.poison ? [{ kind: 'poison', sequence: entry.sequence, entry }] : [];
  return entry.events.flatMap((event, index) =>
    wanted.event(event) ? [{ kind: 'event' as const, sequence: entry.sequence, index, event }] : [],
  );
};

const firstWindow = 500;
const longestWindow = 100_000;

/**
 * The newest `limit` that are wanted, oldest first. The log is read in windows from its end backwards, each twice as long as the one before, so that
 * frequent events come at once and rare ones cost one pass over the log. Holds at most three times `limit` finds.
 */
export const newest = async (
  log: EventLog,
  bounds: LogBounds,
  wanted: Wanted,
  limit: number,
  signal: AbortSignal,
): Promise<readonly Found[]> => {
  let kept: readonly Found[] = [];
  let end: number = bounds.last;
  for (
    let window = Math.max(firstWindow, limit);
    end >= bounds.first && kept.length < limit;
    window = Math.min(2 * window, longestWindow)
  ) {
    const start = Math.max(bounds.first, end - window + 1);
    const room = limit - kept.length;
    let found: Found[] = [];
    for await (const entry of log.read({ from: sequence(start), to: sequence(end), signal })) {
      found.push(...foundIn(entry, wanted));
      if (found.length > 2 * room) found = found.slice(-room);
    }
    signal.throwIfAborted();
    kept = [...found.slice(-room), ...kept];
    end = start - 1;
  }
  return kept;
};
