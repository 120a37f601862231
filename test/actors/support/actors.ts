import pino from 'pino';
import type { Bus } from '../../../src/bus/bus.ts';
import { createMemoryBus, type MemoryBus } from '../../../src/bus/memory/bus.ts';
import type { Role } from '../../../src/actors/concern.ts';
import { startYard, type Yard, type YardOptions } from '../../../src/actors/yard.ts';
import type { ConfigInput } from '../../../src/config/schema.ts';
import { requestIdSchema, sequence, tenantSchema, type EventOf, type EventType, type SwitchyardEvent } from '../../../src/events/index.ts';
import { closeProviders, createProviders } from '../../../src/providers/registry.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import type { AnswerPart } from '../../../src/requests/answer.ts';
import type { ChatRequest } from '../../../src/requests/chat-request.ts';
import { testSettings } from '../../support/settings.ts';
import { logMemory } from './log-memory.ts';

/** The actors of one process as a worker composes them, over the bus in memory and real providers. */
export type TestActors = {
  readonly bus: Bus;
  readonly yard: Yard;
  readonly ask: (request: ChatRequest, signal?: AbortSignal) => Promise<readonly AnswerPart[]>;
  /** The answer while it comes. */
  readonly open: (request: ChatRequest, signal?: AbortSignal) => AsyncIterator<AnswerPart>;
  readonly lost: readonly string[];
  readonly close: () => Promise<void>;
};

export const silent = pino({ level: 'silent' });

export const createTestBus = (config: Partial<ConfigInput> = {}): MemoryBus => createMemoryBus({ config: testSettings(config).config });

export const startActors = async (
  options: Partial<Pick<YardOptions, 'instance' | 'evidenceSource' | 'memory' | 'logger'>> & {
    readonly config?: Partial<ConfigInput>;
    readonly bus?: Bus;
    readonly roles?: readonly Role[];
    /** Put around each provider. */
    readonly around?: (provider: Provider) => Provider;
  } = {},
): Promise<TestActors> => {
  const settings = testSettings(options.config);
  const bus = options.bus ?? createMemoryBus({ config: settings.config });
  const made = await createProviders(settings);
  const { around = (provider: Provider) => provider } = options;
  const lost: string[] = [];
  const yard = await startYard({
    instance: options.instance ?? 'host-a',
    settings,
    roles: new Set(options.roles ?? ['router', 'cache', 'streamer']),
    bus,
    providers: new Map([...made].map(([id, provider]) => [id, around(provider)])),
    logger: options.logger ?? silent,
    evidenceSource: options.evidenceSource ?? (async () => null),
    memory: options.memory ?? logMemory(bus.log),
    onLost: (reason) => lost.push(reason),
  });
  const open = (request: ChatRequest, signal: AbortSignal = new AbortController().signal): AsyncIterator<AnswerPart> => {
    if (yard.answering === null) throw new Error('nobody answers here');
    return yard.answering.answer(request, signal)[Symbol.asyncIterator]();
  };
  return {
    bus,
    yard,
    open,
    ask: async (request, signal) => {
      const parts = await restOf(open(request, signal));
      // What comes over a network next comes in a later turn of the event loop; the actors have folded by then.
      await nextTurn();
      return parts;
    },
    lost,
    close: async () => {
      await yard.close();
      await closeProviders(made);
    },
  };
};

/** What is left of an answer, read to its end. */
export const restOf = async (answer: AsyncIterator<AnswerPart>): Promise<readonly AnswerPart[]> => {
  const parts: AnswerPart[] = [];
  for (let next = await answer.next(); next.done !== true; next = await answer.next()) parts.push(next.value);
  return parts;
};

/** Until the actors have folded what was acknowledged. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let requests = 0;
export const tenant = tenantSchema.parse('default');

/** A request with an id of its own; equal contents are equal questions. */
export const request = (
  changes: Partial<Omit<ChatRequest, 'requestId'>> & { readonly id?: string; readonly content?: string } = {},
): ChatRequest => {
  const { id = `request-${++requests}`, content = id, ...rest } = changes;
  return {
    requestId: requestIdSchema.parse(id),
    retryable: false,
    tenant,
    model: 'auto',
    messages: [{ role: 'user', content }],
    parameters: {},
    streamed: true,
    caching: 'use',
    receivedAtMs: Date.now(),
    ...rest,
  };
};

/** The log, message by message; the policy that took effect is left out. */
export const messagesOf = async (bus: Bus): Promise<readonly (readonly SwitchyardEvent[])[]> => {
  const messages: (readonly SwitchyardEvent[])[] = [];
  for await (const entry of bus.log.read({ from: sequence(1) }))
    if (entry.kind === 'events' && entry.events[0].type !== 'policy.activated') messages.push(entry.events);
  return messages;
};

export const typesOf = async (bus: Bus): Promise<readonly (readonly EventType[])[]> =>
  (await messagesOf(bus)).map((events) => events.map(({ type }) => type));

export const eventsOf = async (bus: Bus): Promise<readonly SwitchyardEvent[]> => (await messagesOf(bus)).flat();

/** All events of a type, of one request or of all. */
export const eventsOfType = async <Type extends EventType>(bus: Bus, type: Type, requestId?: string): Promise<readonly EventOf<Type>[]> =>
  (await eventsOf(bus)).filter(
    (event): event is EventOf<Type> => event.type === type && (requestId === undefined || event.correlationid === requestId),
  );

export const textOf = (parts: readonly AnswerPart[]): string => parts.map((part) => (part.kind === 'delta' ? part.text : '')).join('');

/** The kinds of the parts, runs of `delta` as one. */
export const shapeOf = (parts: readonly AnswerPart[]): string =>
  parts
    .map(({ kind }) => kind)
    .filter((kind, i, all) => kind !== 'delta' || all[i - 1] !== 'delta')
    .join(' ');

export const endOf = (parts: readonly AnswerPart[]): AnswerPart => {
  const last = parts.at(-1);
  if (last === undefined) throw new Error('expected an answer of at least one part');
  return last;
};

/** The error that an answer ended with. Fails when it ended otherwise. */
export const errorOf = (parts: readonly AnswerPart[]) => {
  const last = endOf(parts);
  if (last.kind !== 'failed') throw new Error(`expected a failure at the end, got ${last.kind}`);
  return last.error;
};
