import type { Logger } from 'pino';
import type { Appended, EventLog } from '../bus/event-log.ts';
import { isFiledWhenever } from '../domain/routing/filing.ts';
import { InvariantError, TransientError } from '../errors.ts';
import type { NonEmpty, Sequence, SwitchyardEvent } from '../events/index.ts';
import type { Delivery } from './delivery.ts';
import type { LogClock } from './log-clock.ts';
import { withPatience } from './patience.ts';

/**
 * Append, then act. What was appended is handed to the actors of this process without a way back through the log. While the log is away an append is tried again with the same
 * id until `untilMs`.
 *
 * The acknowledgement does not say when the log stored the message. Where that may decide under which tick a reward is filed, the message is read back before it is handed on.
 *
 * `duplicate` means that the log holds somebody else's events under this id. One's own, stored by a try whose acknowledgement got lost, count as appended.
 */
export type Appender = (
  events: NonEmpty<SwitchyardEvent>,
  options: { readonly idempotencyId: string; readonly untilMs: number; readonly signal?: AbortSignal },
) => Promise<Exclude<Appended, { kind: 'conflict' }>>;

export const createAppender = (options: {
  readonly log: EventLog;
  readonly delivery: Pick<Delivery, 'appended'>;
  readonly clock: LogClock;
  readonly logger: Logger;
}): Appender => {
  const { log, delivery, clock, logger } = options;

  const handOn = async (events: NonEmpty<SwitchyardEvent>, stored: Stored): Promise<void> => {
    const reachedMs = clock.reachedMs();
    if (events.every((event) => isFiledWhenever(event, reachedMs))) {
      delivery.appended({ kind: 'events', sequence: stored.sequence, storedAtMs: Math.max(reachedMs, clock.nowMs()), events });
      return;
    }
    const entry = await log.at(stored.sequence);
    if (entry === null) return;
    clock.saw({ ...stored, storedAtMs: entry.storedAtMs });
    delivery.appended(entry);
  };

  // What cannot be read back now is found by the delivery, as entries of other processes are.
  const tryToHandOn = (events: NonEmpty<SwitchyardEvent>, stored: Stored): void => {
    handOn(events, stored).catch((error: unknown) => {
      if (!(error instanceof TransientError)) logger.error({ err: error, sequence: stored.sequence }, 'an append could not be read back');
    });
  };

  const append = async (events: NonEmpty<SwitchyardEvent>, idempotencyId: string): ReturnType<Appender> => {
    const sentAtMs = Date.now();
    const appended = await log.append(events, { idempotencyId });
    const acknowledgedAtMs = Date.now();
    switch (appended.kind) {
      case 'appended':
        // Whoever waits for the acknowledgement goes on first; the actors fold right after, in the order of the acknowledgements.
        setImmediate(tryToHandOn, events, { sequence: appended.sequence, sentAtMs, acknowledgedAtMs });
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

type Stored = { readonly sequence: Sequence; readonly sentAtMs: number; readonly acknowledgedAtMs: number };
