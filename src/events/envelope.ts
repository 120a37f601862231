import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { tenantSchema, type Tenant } from './identifiers.ts';

/**
 * The CloudEvents 1.0 envelope that every event wears, in the JSON format. `correlationid` is the request, `causationid` the event that led
 * to this one, `subject` what the event is about. `schemaversion` counts the versions of `data` from 1; upcasters raise old ones.
 * Prompt and answer text are never in an event.
 */
export const envelopeShape = {
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(128),
  source: z.string().min(1).max(256),
  subject: z.string().min(1).max(256).optional(),
  time: z.iso.datetime({ precision: 3 }),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string().max(256),
  tenant: tenantSchema,
  correlationid: z.string().min(1).max(128),
  causationid: z.string().max(128).optional(),
  traceparent: z.string().max(64).optional(),
} as const;

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
