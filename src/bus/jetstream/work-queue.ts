import type { WorkItem, WorkQueue } from '../work-queue.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { tooLarge } from './failures.ts';
import { toHeaders } from './headers.ts';
import type { Link } from './link.ts';
import { takeFrom } from './taker.ts';
import type { Topology } from './topology.ts';
import { buryUndelivered } from './undelivered.ts';

/** Accepted requests in a work-queue stream with one durable consumer that all workers share. Each worker also buries what died in the hands of others. */
const headerBytes = 16 * 1024;

export const createWorkQueue = (link: Link, topology: Topology, dead: DeadLetters): WorkQueue => ({
  put: async (item: WorkItem) => {
    const bytes = item.body.length + headerBytes;
    if (bytes > link.maxPayloadBytes()) throw tooLarge(`the item ${item.id}`, bytes, link.maxPayloadBytes());
    const headers = toHeaders(item.headers, item.id);
    const stored = await link.acknowledged.store(item.subject, item.body, { headers, timeoutMs: link.timeoutMs });
    if (stored.kind === 'stored') return { sequence: stored.sequence, duplicate: stored.duplicate };
    throw new TypeError(`the queue refused the sequence of ${item.id}, which named none`);
  },
  async *take({ concurrency, signal }) {
    const burying = new AbortController();
    const stop = AbortSignal.any([signal, burying.signal]);
    const undertaker = buryUndelivered(link, topology, dead, stop).catch((error: unknown) => {
      link.logger.error({ err: error }, 'undelivered requests are no longer turned into dead letters');
    });
    try {
      yield* takeFrom(link, topology.workers, { concurrency, signal });
    } finally {
      burying.abort();
      await undertaker;
    }
  },
});
