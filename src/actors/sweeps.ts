import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { TransientError } from '../errors.ts';
import type { Appender } from './appender.ts';
import type { Delivery } from './delivery.ts';
import type { RouterCommand, RouterReply } from './router.ts';

/**
 * Looks again and again for what is left to do. One sweep at a time; closing ends the pauses and waits for the sweep under way.
 *
 * What one event asks for is handled as an attempt. While the log is away nothing can be handled: it is left for a later sweep. What fails for another reason will
 * always fail, so it is given up and does not keep the others waiting.
 */
export type Sweeps = {
  readonly attempt: (eventId: string, handle: () => Promise<void>) => Promise<void>;
  readonly isGivenUp: (eventId: string) => boolean;
  /** Aborts when it closes. */
  readonly signal: AbortSignal;
  readonly close: () => Promise<void>;
};

/** What is needed to give effect to a judgement of the router: asked for by sweeping, appended under a number, so that of several routers one does it. */
export type UpkeepParts = {
  readonly instance: string;
  readonly append: Appender;
  readonly delivery: Delivery;
  readonly router: { readonly ask: (command: RouterCommand) => RouterReply };
  readonly logger: Logger;
  readonly nowMs: () => number;
};

const sweepMs = 500;
/** Events that were given up and are remembered, so that they are not tried again at each sweep. */
const givenUpLimit = 10_000;

export const startSweeps = (logger: Logger, sweep: () => Promise<void>): Sweeps => {
  const givenUp = new LRUCache<string, true>({ max: givenUpLimit });
  const closing = new AbortController();
  const isClosing = (): boolean => closing.signal.aborted;
  let timer: NodeJS.Timeout;
  let sweeping: Promise<void> = Promise.resolve();

  const schedule = () => {
    timer = setTimeout(() => {
      sweeping = sweep()
        // The router is not live at the moment.
        .catch((error: unknown) => {
          logger.debug({ err: error }, 'swept in vain');
        })
        .finally(() => {
          if (!isClosing()) schedule();
        });
    }, sweepMs);
    timer.unref();
  };
  schedule();

  return {
    attempt: async (eventId, handle) => {
      if (isClosing()) return;
      try {
        await handle();
      } catch (error) {
        if (isClosing()) return;
        if (error instanceof TransientError) {
          logger.debug({ err: error, event: eventId }, 'left for the next sweep');
          return;
        }
        logger.error({ err: error, event: eventId }, 'cannot be handled; left as it is');
        givenUp.set(eventId, true);
      }
    },
    isGivenUp: (eventId) => givenUp.has(eventId),
    signal: closing.signal,
    close: async () => {
      closing.abort();
      clearTimeout(timer);
      await sweeping;
    },
  };
};
