import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { JetStreamApiError, type ConsumerConfig, type JetStreamManager, type StreamConfig, type StreamInfo } from '@nats-io/jetstream';
import { PermanentError, TransientError } from '../../errors.ts';
import { apiCodes } from './failures.ts';
import { streams, type ConsumerSpec, type StreamSpec, type Topology } from './topology.ts';

/**
 * Makes streams and consumers as declared, whatever is there, and reads them back. Safe to run from several processes at once: whoever comes second finds
 * the same thing. Never deletes: a field that cannot be changed in place is an error that names the field, what was expected and what was seen. What the server could not make for a reason that
 * passes (it still takes the files of a deleted stream of that name away, it elects a leader) is tried again for a while.
 */
export const applyTopology = async (jsm: JetStreamManager, topology: Topology): Promise<void> => {
  for (const stream of topology.streams) await applyStream(jsm, stream);
  await nameLog(jsm);
  await applyConsumer(jsm, topology.workers);
  await applyConsumer(jsm, topology.undelivered);
};

const applyStream = (jsm: JetStreamManager, spec: StreamSpec): Promise<void> =>
  converge<StreamConfig>(`stream ${spec.name}`, spec, {
    see: async () => (await jsm.streams.info(spec.name)).config,
    create: () => jsm.streams.add({ ...spec, ...(spec.name === streams.events ? identity(new Date().toISOString()) : {}) }),
    change: () => jsm.streams.update(spec.name, { ...spec }),
    explain: (error) => explainStorage(jsm, spec, error),
  });

/**
 * The log is known by the moment at which it was made. nats-server (seen at 2.10.27) moves `created` when a stream is changed and the server starts again, so that moment is written down beside the stream's configuration, where changes leave it.
 * A log that was made before this was so gets what the server still knows. Those who come at the same time write the same.
 */
const nameLog = async (jsm: JetStreamManager): Promise<void> => {
  const { config, created } = await jsm.streams.info(streams.events);
  if (config.metadata?.[logIdentity] === undefined) await jsm.streams.update(streams.events, identity(created, config.metadata));
};

const logIdentity = 'switchyard_log_created';
const identity = (made: string, metadata: StreamConfig['metadata'] = {}) => ({ metadata: { ...metadata, [logIdentity]: made } });

export const identityOfLog = ({ config, created }: Pick<StreamInfo, 'config' | 'created'>): string =>
  config.metadata?.[logIdentity] ?? created;

export const applyConsumer = (jsm: JetStreamManager, spec: ConsumerSpec): Promise<void> =>
  converge<ConsumerConfig>(`consumer ${spec.config.durable_name} of ${spec.stream}`, spec.config, {
    see: async () => (await jsm.consumers.info(spec.stream, spec.config.durable_name)).config,
    create: () => jsm.consumers.add(spec.stream, { ...spec.config }),
    change: () => jsm.consumers.update(spec.stream, spec.config.durable_name, { ...spec.config }),
    explain: async (error) => error.message,
  });

type Difference = { readonly field: string; readonly expected: unknown; readonly seen: unknown };

type Resource<T> = {
  readonly see: () => Promise<T>;
  readonly create: () => Promise<unknown>;
  readonly change: () => Promise<unknown>;
  readonly explain: (error: JetStreamApiError) => Promise<string>;
};

const patienceMs = 5_000;
const pauseMs = 100;

const converge = async <T extends object>(what: string, declared: Partial<T>, resource: Resource<T>): Promise<void> => {
  const untilMs = Date.now() + patienceMs;
  let refusal: JetStreamApiError | null = null;
  let seen = await orNull(resource.see);
  while (seen === null) {
    // A creation that lost a race against another process is refused as "in use": what is there then is compared like anything else.
    refusal = await refusalOf(resource.create);
    seen = await orNull(resource.see);
    if (seen !== null || refusal === null || !mayPass(refusal)) break;
    if (Date.now() > untilMs)
      throw new TransientError('topology-refused', `${what}: ${refusal.message} (${refusal.code})`, pauseMs, { cause: refusal });
    await sleep(pauseMs);
  }
  if (seen !== null && differences(declared, seen).length > 0) {
    refusal = await refusalOf(resource.change);
    seen = await orNull(resource.see);
  }
  const left = seen === null ? [{ field: 'existence', expected: 'present', seen: 'missing' }] : differences(declared, seen);
  if (left.length === 0) return;
  const reason = refusal === null ? 'the server ignored the change' : await resource.explain(refusal);
  throw new PermanentError('topology', `${what}: ${left.map(describe).join('; ')} (${reason})`, { cause: refusal });
};

const refusalOf = async (action: () => Promise<unknown>): Promise<JetStreamApiError | null> => {
  try {
    await action();
    return null;
  } catch (error) {
    if (error instanceof JetStreamApiError) return error;
    throw error;
  }
};

/** The server's own trouble, and not a lack of room that stays. */
const mayPass = ({ status, code }: JetStreamApiError): boolean => status >= 500 && !isShortOfRoom(code);
const isShortOfRoom = (code: number): boolean => code === apiCodes.insufficientResources || code === apiCodes.insufficientStorage;

const orNull = async <T>(see: () => Promise<T>): Promise<T | null> => {
  try {
    return await see();
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === 404) return null;
    throw error;
  }
};

export const differences = <T extends object>(declared: Partial<T>, seen: T): readonly Difference[] =>
  Object.entries(declared).flatMap(([field, expected]) => {
    const value: unknown = (seen as Record<string, unknown>)[field];
    return isDeepStrictEqual(value, expected) || (value === undefined && isZero(expected)) ? [] : [{ field, expected, seen: value }];
  });

/** The server leaves zero values out of its answers. */
const isZero = (value: unknown): boolean => value === 0 || value === false || value === '';

const describe = ({ field, expected, seen }: Difference): string =>
  `${field}: expected ${JSON.stringify(expected)}, seen ${seen === undefined ? 'nothing' : JSON.stringify(seen)}`;

/** A stream reserves its `max_bytes` when it is made: on a small disk the server refuses, in words that do not help. */
const explainStorage = async (jsm: JetStreamManager, spec: StreamSpec, error: JetStreamApiError): Promise<string> => {
  if (!isShortOfRoom(error.code)) return error.message;
  const account = await jsm.getAccountInfo().catch(() => null);
  const reserved = account === null ? '' : `, ${account.reserved_storage} bytes are reserved by other streams`;
  return `${error.message}: nats-server cannot reserve ${spec.max_bytes ?? 0} bytes on its disk${reserved}; free some space, or lower log.maxBytes, requests.queueBytes or requests.answersKeptBytes`;
};
