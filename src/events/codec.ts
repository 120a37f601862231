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

/**
 * How much of an event is checked. `all`: everything, the border's default. `envelope`: encoding, type, version and the envelope's attributes, but not the
 * fields of `data`: for whoever passes data on without computing with it (decoding then takes 40 % of the time). Garbage is poison in both.
 */
export type Checks = 'all' | 'envelope';

export const decodeEvents = (body: Uint8Array, known: Upcasters = upcasters, checks: Checks = 'all'): Decoded => {
  let raw: unknown;
  try {
    raw = JSON.parse(decoder.decode(body));
  } catch (error) {
    return { kind: 'poison', reason: 'not-json', detail: error instanceof Error ? error.message : 'unreadable' };
  }
  const list: unknown[] = Array.isArray(raw) ? raw : [raw];
  const events: SwitchyardEvent[] = [];
  for (const entry of list) {
    const event = decodeOne(entry, known, checks);
    if ('reason' in event) return event;
    events.push(event);
  }
  const [first, ...rest] = events;
  if (first === undefined) return { kind: 'poison', reason: 'not-an-event', detail: 'expected at least one event, got an empty batch' };
  return { kind: 'events', events: [first, ...rest] };
};

/** The same of one event that has been parsed already. */
export const decodeEvent = (raw: unknown, checks: Checks = 'all'): Decoded => {
  const event = decodeOne(raw, upcasters, checks);
  return 'reason' in event ? event : { kind: 'events', events: [event] };
};

type Poison = Extract<Decoded, { kind: 'poison' }>;

/** What must be known before a schema can be chosen. Checked by hand: as a schema it cost as much as the event itself. */
type Header = { readonly type: string; readonly schemaversion: number; readonly data: Record<string, unknown> };

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const isHeader = (entry: unknown): entry is Header =>
  isRecord(entry) &&
  typeof entry['type'] === 'string' &&
  Number.isSafeInteger(entry['schemaversion']) &&
  (entry['schemaversion'] as number) >= 1 &&
  isRecord(entry['data']);

const decodeOne = (entry: unknown, known: Upcasters, checks: Checks): SwitchyardEvent | Poison => {
  if (!isHeader(entry))
    return {
      kind: 'poison',
      reason: 'not-an-event',
      detail: 'expected an object with type (text), schemaversion (from 1) and data (object)',
    };
  const { type, schemaversion } = entry;
  if (!isEventType(type))
    return { kind: 'poison', reason: 'unknown-type', detail: `expected a type of the catalogue, got "${type.slice(0, 128)}"` };
  const definition = catalogue[type];
  const data = upcast(entry.data, type, schemaversion, definition.version, known);
  if (schemaversion > definition.version || data === null)
    return {
      kind: 'poison',
      reason: 'unknown-version',
      detail: `expected ${type} of version 1 to ${definition.version}, got ${schemaversion}`,
    };
  const raised = schemaversion === definition.version ? entry : { ...entry, schemaversion: definition.version, data };
  if (checks === 'envelope' && hasEnvelope(raised)) return raised as unknown as SwitchyardEvent;
  const event = definition.schema.safeParse(raised);
  if (!event.success) return { kind: 'poison', reason: 'invalid-event', detail: `${type}: ${z.prettifyError(event.error)}` };
  return event.data;
};

const envelopeTexts = ['id', 'source', 'time', 'dataschema', 'tenant', 'correlationid'] as const;

const hasEnvelope = (event: Header & { readonly [attribute: string]: unknown }): boolean =>
  event['specversion'] === '1.0' && envelopeTexts.every((name) => typeof event[name] === 'string');

const isEventType = (type: string): type is EventType => Object.hasOwn(catalogue, type);
