import type { ConsumerConfig, StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { BusConfig } from '../bus-config.ts';
import { subjects } from '../../events/index.ts';

/**
 * The streams and durable consumers of the yard, as data. apply-topology.ts makes the server look like this and proves that it does: servers
 * drop fields they do not know in silence, so every field that stands here is read back.
 */
export const streams = {
  events: 'SWITCHYARD_EVENTS',
  requests: 'SWITCHYARD_REQUESTS',
  undelivered: 'SWITCHYARD_UNDELIVERED',
  dead: 'SWITCHYARD_DEAD',
  answers: 'SWITCHYARD_ANSWERS',
  agreements: 'SWITCHYARD_AGREEMENTS',
} as const;

export const consumers = { workers: 'workers', undelivered: 'undelivered' } as const;

export type StreamSpec = Readonly<Partial<StreamConfig>> & { readonly name: string; readonly subjects: string[] };
export type ConsumerSpec = { readonly stream: string; readonly config: ConsumerConfig & { readonly durable_name: string } };
export type Topology = { readonly streams: readonly StreamSpec[]; readonly workers: ConsumerSpec; readonly undelivered: ConsumerSpec };

const secondMs = 1_000;
const dayMs = 86_400_000;
const deadLetterAgeDays = 30;
const deadLetterBytes = 256 * 1024 ** 2;
const undeliveredBytes = 16 * 1024 ** 2;
const agreementsBytes = 64 * 1024;
/** Unacknowledged requests of all workers together. */
const requestsUnderWay = 65_536;

export const topologyOf = ({ log, requests }: BusConfig): Topology => {
  const replicated = { storage: 'file', num_replicas: log.replicas, allow_direct: true } as const;
  const duplicateWindow = nanos(log.duplicateWindowSeconds * secondMs);
  const workQueue = {
    ...replicated,
    retention: 'workqueue',
    discard: 'new',
    max_age: nanos(requests.queueAgeSeconds * secondMs),
    // The server refuses a window that is longer than the age.
    duplicate_window: nanos(Math.min(log.duplicateWindowSeconds, requests.queueAgeSeconds) * secondMs),
  } as const;

  const events: StreamSpec = {
    ...replicated,
    name: streams.events,
    description: 'The event log: the truth. Full means refuse, never forget.',
    subjects: [subjects.allEvents],
    retention: 'limits',
    discard: 'new',
    // The server takes whole nanoseconds.
    max_age: nanos(Math.round(log.maxAgeDays * dayMs)),
    max_bytes: log.maxBytes,
    duplicate_window: duplicateWindow,
    deny_delete: true,
    deny_purge: true,
  };
  const queue: StreamSpec = {
    ...workQueue,
    name: streams.requests,
    description: 'Accepted requests, removed when answered.',
    subjects: [subjects.work('*')],
    max_bytes: requests.queueBytes,
  };
  const undelivered: StreamSpec = {
    ...workQueue,
    name: streams.undelivered,
    description: 'Notices of requests that were handed out for the last time and never acknowledged.',
    subjects: [`$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${streams.requests}.${consumers.workers}`],
    max_bytes: undeliveredBytes,
  };
  // The newest letters are worth most, and a full drawer must not stop the yard: the oldest give way, and a warning says so (dead-letters.ts).
  const dead: StreamSpec = {
    ...replicated,
    name: streams.dead,
    description: 'What could not be handled, with the reason and the body.',
    subjects: [subjects.allDead],
    retention: 'limits',
    discard: 'old',
    max_age: nanos(deadLetterAgeDays * dayMs),
    max_bytes: deadLetterBytes,
    duplicate_window: duplicateWindow,
  };
  // Losing an answer early is harmless: the caller is told `already_answered`.
  const answers: StreamSpec = {
    ...replicated,
    name: streams.answers,
    description: 'Finished answers, kept for callers who ask again.',
    subjects: [answerSubject('*', '*')],
    retention: 'limits',
    discard: 'old',
    max_msgs_per_subject: 1,
    max_age: nanos(requests.answersKeptSeconds * secondMs),
    max_bytes: requests.answersKeptBytes,
  };

  // No log: the key of the hashes stands here, which is never in an event.
  const agreements: StreamSpec = {
    ...replicated,
    name: streams.agreements,
    description: 'What all processes have agreed on: the first value of a subject stands.',
    subjects: [agreementSubject('*')],
    retention: 'limits',
    discard: 'new',
    max_msgs_per_subject: 1,
    max_bytes: agreementsBytes,
  };

  return {
    streams: [events, queue, undelivered, dead, answers, agreements],
    workers: {
      stream: queue.name,
      config: {
        ...durableDefaults,
        durable_name: consumers.workers,
        ack_wait: nanos(requests.ackWaitSeconds * secondMs),
        max_deliver: requests.maxDeliveries,
        max_ack_pending: requestsUnderWay,
      },
    },
    undelivered: {
      stream: undelivered.name,
      // No limit of deliveries: the stream's age is the limit.
      config: { ...durableDefaults, durable_name: consumers.undelivered, ack_wait: nanos(30 * secondMs), max_deliver: -1 },
    },
  };
};

const durableDefaults = { ack_policy: 'explicit', deliver_policy: 'all', replay_policy: 'instant' } as const;

export const answerSubject = (tenant: string, token: string): string => `switchyard.answer.${tenant}.${token}`;
export const agreementSubject = (what: string): string => `switchyard.agreement.${what}`;
