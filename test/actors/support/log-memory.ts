import type { RequestMemory } from '../../../src/actors/request-memory.ts';
import type { EventLog } from '../../../src/bus/event-log.ts';
import type { RecordedEvent, RecordedFeedback } from '../../../src/domain/routing/remembered.ts';
import { sequence } from '../../../src/events/index.ts';

/** The log itself as a memory of requests: read from end to end for each question. `reach` lets it lag behind. */
export const logMemory = (log: EventLog, reach: () => number = () => Infinity): RequestMemory => {
  const all = async (): Promise<readonly RecordedEvent[]> => {
    const { first, last } = await log.bounds();
    const to = sequence(Math.min(last, reach()));
    const recorded: RecordedEvent[] = [];
    if (to >= first)
      for await (const entry of log.read({ from: first, to }))
        if (entry.kind === 'events') for (const event of entry.events) recorded.push({ sequence: entry.sequence, event });
    return recorded;
  };
  return {
    eventsOf: async (requests) => {
      const recorded = await all();
      return requests.map(({ tenant, requestId }) =>
        recorded.filter(({ event }) => event.tenant === tenant && event.correlationid === requestId),
      );
    },
    unsettledFeedback: async ({ from, to, limit }) => {
      const recorded = await all();
      if (reach() < to) return null;
      const settled = new Set(recorded.filter(({ event }) => event.type !== 'feedback.received').map(({ event }) => event.causationid));
      return recorded
        .filter((it): it is RecordedFeedback => it.event.type === 'feedback.received')
        .filter(({ event, sequence: at }) => at >= from && at <= to && !settled.has(event.id))
        .slice(0, limit);
    },
  };
};
