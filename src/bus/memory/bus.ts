import type { BusConfig } from '../bus-config.ts';
import type { Agreement } from '../agreement.ts';
import type { AnswerStore } from '../answer-store.ts';
import type { Bus, BusStatus } from '../bus.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { systemClock, type Clock } from './clock.ts';
import { createMemoryLog } from './event-log.ts';
import { createMemoryMessenger } from './messenger.ts';
import { createShelf, type Shelf } from './shelf.ts';
import { createMemoryQueue } from './work-queue.ts';

/**
 * The whole bus inside one process, for tests and replays, held to the same contract suite as the one over NATS. It keeps the same limits;
 * nothing survives the process.
 */
export type MemoryBus = Bus & {
  /** Puts bytes into the log as they are: garbage that a reader has to survive. */
  readonly inject: (subject: string, body: Uint8Array) => number;
};

const secondMs = 1_000;
const dayMs = 86_400_000;
const deadLetterLimits = { maxAgeMs: 30 * dayMs, maxBytes: 64 * 1024 ** 2, whenFull: 'forget' } as const;

export const createMemoryBus = ({ config, clock = systemClock }: { readonly config: BusConfig; readonly clock?: Clock }): MemoryBus => {
  const { log, requests } = config;
  const duplicateWindowMs = log.duplicateWindowSeconds * secondMs;
  const events = createShelf('log', clock, {
    maxAgeMs: log.maxAgeDays * dayMs,
    maxBytes: log.maxBytes,
    duplicateWindowMs,
    whenFull: 'refuse',
  });
  const queueAgeMs = requests.queueAgeSeconds * secondMs;
  const queue = createShelf('queue', clock, {
    maxAgeMs: queueAgeMs,
    maxBytes: requests.queueBytes,
    duplicateWindowMs: Math.min(duplicateWindowMs, queueAgeMs),
    whenFull: 'refuse',
  });
  const answersKeptMs = requests.answersKeptSeconds * secondMs;
  const answers = createShelf('answers', clock, {
    maxAgeMs: answersKeptMs,
    maxBytes: requests.answersKeptBytes,
    duplicateWindowMs: answersKeptMs,
    whenFull: 'forget',
  });
  const dead = createMemoryDeadLetters(createShelf('dead letters', clock, { ...deadLetterLimits, duplicateWindowMs }));

  const listeners = new Set<(status: BusStatus) => void>();
  let status: BusStatus = { kind: 'connected' };
  let injected = 0;
  return {
    log: createMemoryLog(events, new Date(clock.nowMs()).toISOString()),
    requests: createMemoryQueue(queue, clock, dead, {
      ackWaitMs: requests.ackWaitSeconds * secondMs,
      maxDeliveries: requests.maxDeliveries,
    }),
    dead,
    answers: createMemoryAnswers(answers),
    hashKey: createMemoryAgreement(),
    messenger: createMemoryMessenger(clock),
    status: () => status,
    onStatus: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      status = { kind: 'closed' };
      for (const listener of listeners) listener(status);
    },
    inject: (subject, body) => events.add({ subject, id: `injected:${++injected}`, headers: {}, body }).sequence,
  };
};

const createMemoryAnswers = (shelf: Shelf): AnswerStore => ({
  put: async (tenant, requestId, body) => {
    const id = `${tenant}:${requestId}`;
    const kept = shelf.known(id);
    if (kept !== null && shelf.get(kept) !== undefined) return false;
    shelf.add({ subject: tenant, id, headers: {}, body });
    return true;
  },
  get: async (tenant, requestId) => {
    const kept = shelf.known(`${tenant}:${requestId}`);
    return kept === null ? null : (shelf.get(kept)?.body ?? null);
  },
});

const createMemoryAgreement = (): Agreement => {
  let stands: Uint8Array | undefined;
  return { offer: async (value) => (stands ??= value) };
};

const createMemoryDeadLetters = (shelf: Shelf): DeadLetters => {
  const letters = new Map<number, Parameters<DeadLetters['put']>[0]>();
  return {
    put: async (letter) => {
      if (shelf.known(letter.id) !== null) return;
      const { sequence } = shelf.add({ subject: letter.reason, id: letter.id, headers: {}, body: letter.body });
      letters.set(sequence, letter);
    },
    list: async ({ limit }) => {
      const kept = [...shelf.all()].slice(-limit).reverse();
      for (const sequence of letters.keys()) if (sequence < shelf.first()) letters.delete(sequence);
      return kept.flatMap(({ sequence, storedAtMs }) => {
        const letter = letters.get(sequence);
        return letter === undefined ? [] : [{ ...letter, sequence, storedAtMs }];
      });
    },
  };
};
