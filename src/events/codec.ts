import { z } from 'zod';
import { catalogue, type EventType, type SwitchyardEvent } from './catalogue.ts';
import { upcast, upcasters, type Upcasters } from './upcasters.ts';

/**
 * Events to bytes and back. One event is a structured CloudEvent, several are a CloudEvents batch; the content type says which.
 * Decoding never throws: what cannot be understood comes back as a value with the reason, because the log must go on past it.
 */
export const contentTypes = { single: 'application/cloudevents+json', batch: 'application/cloudevents-batch+json' } as const;

export type NonEmpty<T> = readonly [T, ...T[]];

export type Encoded = { readonly body: Uint8Array; readonly contentType: string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const encodeEvents = (events: NonEmpty<SwitchyardEvent>): Encoded =>
  events.length === 1
    ? { body: encoder.encode(JSON.stringify(events[0])), contentType: contentTypes.single }
    : { body: encoder.encode(JSON.stringify(events)), contentType: contentTypes.batch };

export type Decoded =
  | { readonly kind: 'events'; readonly events: NonEmpty<SwitchyardEvent> }
  | { readonly kind: 'poison'; readonly reason: PoisonReason; readonly detail: string };

export type PoisonReason = 'not-json' | 'not-an-event' | 'unknown-type' | 'unknown-version' | 'invalid-event';

export const decodeEvents = (body: Uint8Array, known: Upcasters = upcasters): Decoded => {
  let raw: unknown;
  try {
    raw = JSON.parse(decoder.decode(body));
  } catch (error) {
    return { kind: 'poison', reason: 'not-json', detail: error instanceof Error ? error.message : 'unreadable' };
  }
  const list: unknown[] = Array.isArray(raw) ? raw : [raw];
  const events: SwitchyardEvent[] = [];
  for (const entry of list) {
    const event = decodeOne(entry, known);
    if ('reason' in event) return event;
    events.push(event);
  }
  const [first, ...rest] = events;
  if (first === undefined) return { kind: 'poison', reason: 'not-an-event', detail: 'expected at least one event, got an empty batch' };
  return { kind: 'events', events: [first, ...rest] };
};

const header = z.looseObject({ type: z.string(), schemaversion: z.int().min(1), data: z.record(z.string(), z.unknown()) });

const decodeOne = (entry: unknown, known: Upcasters): SwitchyardEvent | Extract<Decoded, { kind: 'poison' }> => {
  const parsed = header.safeParse(entry);
  if (!parsed.success) return { kind: 'poison', reason: 'not-an-event', detail: z.prettifyError(parsed.error) };
  const { type, schemaversion } = parsed.data;
  if (!isEventType(type))
    return { kind: 'poison', reason: 'unknown-type', detail: `expected a type of the catalogue, got "${type.slice(0, 128)}"` };
  const definition = catalogue[type];
  const data = upcast(parsed.data.data, type, schemaversion, definition.version, known);
  if (schemaversion > definition.version || data === null)
    return {
      kind: 'poison',
      reason: 'unknown-version',
      detail: `expected ${type} of version 1 to ${definition.version}, got ${schemaversion}`,
    };
  const event = definition.schema.safeParse({ ...parsed.data, schemaversion: definition.version, data });
  if (!event.success) return { kind: 'poison', reason: 'invalid-event', detail: `${type}: ${z.prettifyError(event.error)}` };
  return event.data;
};

export const isEventType = (type: string): type is EventType => Object.hasOwn(catalogue, type);
