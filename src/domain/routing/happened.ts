import type { SwitchyardEvent } from '../../events/index.ts';

/** The event as it can have happened: not after the log stored it. A clock that runs ahead would make its request too young for feedback, and too young to be closed. */
export const happenedBy = (event: SwitchyardEvent, storedAtMs: number): SwitchyardEvent =>
  Date.parse(event.time) <= storedAtMs ? event : { ...event, time: new Date(storedAtMs).toISOString() };
