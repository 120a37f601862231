import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { momentSchema, tenantSchema, type Tenant } from './identifiers.ts';

/**
 * The CloudEvents 1.0 envelope that every event wears, in the JSON format. `correlationid` is the request, `causationid` the event that led
 * to this one, `subject` what the event is about. `schemaversion` counts the versions of `data` from 1; upcasters raise old ones.
 * Prompt and answer text are never in an event.
 */
export const envelopeShape = {
  specversion: z.literal('1.0').describe('version of CloudEvents'),
  id: z.string().min(1).max(128).describe('of this event, unlike any other'),
  source: z.string().min(1).max(256).describe('the process that made it'),
  subject: z.string().min(1).max(256).optional().describe('what the event is about'),
  time: momentSchema.describe('when it happened, by the clock of that process'),
  datacontenttype: z.literal('application/json').describe('form of `data`'),
  dataschema: z.string().max(256).describe('`urn:switchyard:event:<type>:<version>`'),
  tenant: tenantSchema.describe('whose request it was; `_system` for events of the yard itself'),
  correlationid: z.string().min(1).max(128).describe('the request'),
  causationid: z.string().max(128).optional().describe('the event that led to this one'),
  traceparent: z.string().max(64).optional().describe('W3C trace context of the request'),
} as const;

/** The envelope alone, with the two attributes that each definition narrows. */
export const envelopeSchema = z.object({
  ...envelopeShape,
  type: z.string().describe('name of the event, one of those below'),
  schemaversion: z.int().min(1).describe('version of `data`'),
  data: z.looseObject({}).describe('the facts, see each event'),
});

/** One entry of the catalogue: a type, its current version, the schema of its data and the sentence that documents it. */
export type EventDefinition<Type extends string, Data extends z.ZodType> = {
  readonly type: Type;
  readonly version: number;
  readonly summary: string;
  readonly data: Data;
  readonly schema: z.ZodObject<typeof envelopeShape & { type: z.ZodLiteral<Type>; schemaversion: z.ZodLiteral<number>; data: Data }>;
};

export const defineEvent = <const Type extends string, Data extends z.ZodType>(definition: {
  readonly type: Type;
  readonly version: number;
  readonly summary: string;
  readonly data: Data;
}): EventDefinition<Type, Data> => ({
  ...definition,
  schema: z.object({
    ...envelopeShape,
    type: z.literal(definition.type),
    schemaversion: z.literal(definition.version),
    data: definition.data,
  }),
});

/** What the maker of an event has to say; the rest of the envelope follows from the definition. */
export type EventContext = {
  readonly tenant: Tenant;
  readonly requestId: string;
  readonly source: string;
  /** Milliseconds since 1970: time arrives from outside, deciders have no clock. */
  readonly timeMs: number;
  readonly causationId?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly subject?: string | undefined;
  /** Given by tests and replays that need repeatable ids. */
  readonly id?: string | undefined;
};

export const makeEvent = <Type extends string, Data extends z.ZodType>(
  definition: EventDefinition<Type, Data>,
  context: EventContext,
  data: z.infer<Data>,
) =>
  ({
    specversion: '1.0',
    id: context.id ?? randomUUID(),
    source: context.source,
    type: definition.type,
    ...(context.subject === undefined ? {} : { subject: context.subject }),
    time: new Date(context.timeMs).toISOString(),
    datacontenttype: 'application/json',
    dataschema: `urn:switchyard:event:${definition.type}:${definition.version}`,
    tenant: context.tenant,
    correlationid: context.requestId,
    ...(context.causationId === undefined ? {} : { causationid: context.causationId }),
    ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
    schemaversion: definition.version,
    data,
  }) as const;
