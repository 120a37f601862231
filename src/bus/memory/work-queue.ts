import { PermanentError } from '../../errors.ts';
import type { DeadLetters } from '../dead-letters.ts';
import type { TakenItem, WorkQueue } from '../work-queue.ts';
import { createBell, type Bell } from './bell.ts';
import type { Clock } from './clock.ts';
import type { Shelf, Stored } from './shelf.ts';

/** The work queue in memory, with the same waits and the same end: an item handed out for the last time in vain becomes a dead letter. */
type Item = {
  readonly stored: Stored;
  deliveries: number;
  /** Stops the wait that the item is in; undefined when it can be taken. */ stopWait: (() => void) | undefined;
};

export const createMemoryQueue = (
  shelf: Shelf,
  clock: Clock,
  dead: DeadLetters,
  { ackWaitMs, maxDeliveries }: { readonly ackWaitMs: number; readonly maxDeliveries: number },
): WorkQueue => {
  const items = new Map<number, Item>();
  const takers = new Set<Bell>();
  const changed = () => {
    for (const bell of takers) bell.ring();
  };

  const remove = (item: Item) => {
    item.stopWait?.();
    items.delete(item.stored.sequence);
    shelf.remove(item.stored.sequence);
    changed();
  };

  const offerAgain = (item: Item) => {
    item.stopWait = undefined;
    if (item.deliveries >= maxDeliveries) {
      const { subject, sequence, body } = item.stored;
      const detail = `handed out ${item.deliveries} times, never acknowledged`;
      void dead.put({ reason: 'undelivered', detail, origin: subject, originSequence: sequence, id: `requests:${sequence}`, body });
      remove(item);
    }
    changed();
  };

  const wait = (item: Item, ms: number) => {
    item.stopWait?.();
    item.stopWait = clock.after(ms, () => {
      offerAgain(item);
    });
  };

  const next = (): Item | undefined => {
    for (const item of items.values()) {
      if (shelf.get(item.stored.sequence) === undefined) items.delete(item.stored.sequence);
      else if (item.stopWait === undefined) return item;
    }
    return undefined;
  };

  const put: WorkQueue['put'] = async ({ subject, id, headers, body }) => {
    if (Object.keys(headers).some((name) => /^nats-/i.test(name)))
      throw new PermanentError('bus-invalid', 'expected headers of the application');
    const known = shelf.known(id);
    if (known !== null) return { sequence: known, duplicate: true };
    const stored = shelf.add({ subject, id, headers: { ...headers }, body });
    items.set(stored.sequence, { stored, deliveries: 0, stopWait: undefined });
    changed();
    return { sequence: stored.sequence, duplicate: false };
  };

  const handOut = (item: Item, unsettled: Set<TakenItem>): TakenItem => {
    const delivery = ++item.deliveries;
    const isOurs = (): boolean => item.deliveries === delivery && items.has(item.stored.sequence);
    const settle = () => {
      unsettled.delete(taken);
      changed();
    };
    const taken: TakenItem = {
      subject: item.stored.subject,
      headers: item.stored.headers,
      body: item.stored.body,
      delivery,
      maxDeliveries,
      sequence: item.stored.sequence,
      done: async () => {
        if (items.has(item.stored.sequence)) remove(item);
        settle();
      },
      again: (afterMs) => {
        if (isOurs()) {
          if (afterMs > 0) wait(item, afterMs);
          else {
            item.stopWait?.();
            offerAgain(item);
          }
        }
        settle();
      },
      working: () => {
        if (isOurs()) wait(item, ackWaitMs);
      },
    };
    wait(item, ackWaitMs);
    unsettled.add(taken);
    return taken;
  };

  async function* take({
    concurrency,
    signal,
  }: {
    readonly concurrency: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<TakenItem, void, undefined> {
    const bell = createBell();
    takers.add(bell);
    signal.addEventListener('abort', bell.ring);
    const unsettled = new Set<TakenItem>();
    const isLapsed = (taken: TakenItem): boolean => {
      const item = items.get(taken.sequence);
      return item?.deliveries !== taken.delivery || item.stopWait === undefined;
    };
    try {
      while (!signal.aborted) {
        for (const taken of unsettled) if (isLapsed(taken)) unsettled.delete(taken);
        const item = unsettled.size < concurrency ? next() : undefined;
        if (item === undefined) await bell.wait();
        else yield handOut(item, unsettled);
      }
    } finally {
      takers.delete(bell);
      signal.removeEventListener('abort', bell.ring);
    }
  }

  return { put, take };
};
