import type { AnswerStore } from '../../../src/bus/answer-store.ts';
import type { Bus } from '../../../src/bus/bus.ts';
import type { EventLog } from '../../../src/bus/event-log.ts';
import { TransientError } from '../../../src/errors.ts';

/** Faults around a real bus, as a network makes them. */
export const away = () => new TransientError('bus-away', 'the log is away', 1);

/** Stores, and loses the acknowledgement, for the appends that are chosen. */
export const losesAcknowledgements = (log: EventLog, isLost: (idempotencyId: string, attempt: number) => boolean): EventLog => {
  const attempts = new Map<string, number>();
  return {
    ...log,
    append: async (events, options) => {
      const attempt = (attempts.get(options.idempotencyId) ?? 0) + 1;
      attempts.set(options.idempotencyId, attempt);
      const appended = await log.append(events, options);
      if (isLost(options.idempotencyId, attempt)) throw away();
      return appended;
    },
  };
};

export const withLog = (bus: Bus, change: (log: EventLog) => Partial<EventLog>): Bus => ({
  ...bus,
  log: { ...bus.log, ...change(bus.log) },
});

export const withAnswers = (bus: Bus, change: (answers: AnswerStore) => Partial<AnswerStore>): Bus => ({
  ...bus,
  answers: { ...bus.answers, ...change(bus.answers) },
});
