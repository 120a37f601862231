import type { LogEntry } from '../bus/event-log.ts';
import { routerEventTypes } from '../domain/routing/state.ts';
import { catalogue, type Checks, type EventType, type SwitchyardEvent } from '../events/index.ts';
import { asPoison } from './rows.ts';

/**
 * How far a message is checked before it becomes rows. The log is read with its envelopes checked, and that is enough for what is only passed on: whoever made
 * the events has checked them, and the engine refuses what does not fit its columns. A message that the router folds is checked to the last field, because the
 * state of the router is summed from its rows: what the router skips as poison must not count here either.
 */
export const readChecks: Checks = 'envelope';

const folded: ReadonlySet<EventType> = new Set(routerEventTypes);

export const understand = (entry: LogEntry): LogEntry => {
  if (entry.kind === 'poison' || !entry.events.some(({ type }) => folded.has(type))) return entry;
  for (const event of entry.events) {
    const fault = faultIn(event);
    if (fault !== null) return asPoison(entry, 'invalid-event', `${event.type}: ${fault}`);
  }
  return entry;
};

const faultIn = ({ type, data }: SwitchyardEvent): string | null => {
  const checked = catalogue[type].data.safeParse(data);
  return checked.success ? null : checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
};
