import type { Appended, EventLog } from '../bus/event-log.ts';
import { InvariantError } from '../errors.ts';
import type { NonEmpty, SwitchyardEvent } from '../events/index.ts';
import type { Delivery } from './delivery.ts';
import { withPatience } from './patience.ts';

/**
 * Append, then act. What was appended is handed to the actors of this process without a way back through the log. While the log is away an append is tried again with the same
 * id until `untilMs`.
 *
 * `duplicate` means that the log holds somebody else's events under this id. One's own, stored by a try whose acknowledgement got lost, count as appended.
 */
export type Appender = (
  events: NonEmpty<SwitchyardEvent>,
  options: { readonly idempotencyId: string; readonly untilMs: number; readonly signal?: AbortSignal },
) => Promise<Exclude<Appended, { kind: 'conflict' }>>;

export const createAppender = (log: EventLog, delivery: Delivery): Appender => {
  const append = async (events: NonEmpty<SwitchyardEvent>, idempotencyId: string): ReturnType<Appender> => {
    const appended = await log.append(events, { idempotencyId });
    switch (appended.kind) {
      case 'appended':
        // Whoever waits for the acknowledgement goes on first; the actors fold right after, in the order of the acknowledgements.
        setImmediate(delivery.appended, { kind: 'events', sequence: appended.sequence, storedAtMs: Date.now(), events });
        return appended;
      case 'duplicate': {
        const entry = await log.at(appended.sequence);
        if (entry?.kind !== 'events' || entry.events[0].id !== events[0].id) return appended;
        delivery.appended(entry);
        return { kind: 'appended', sequence: appended.sequence };
      }
      case 'conflict':
        throw new InvariantError('an append met a conflict although it expected nothing');
    }
  };
  return (events, { idempotencyId, untilMs, signal }) => withPatience(() => append(events, idempotencyId), { untilMs, signal });
};
