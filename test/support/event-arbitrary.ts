import fc from 'fast-check';
import { envelopeShape } from '../../src/events/envelope.ts';
import { catalogue, type EventType, type SwitchyardEvent } from '../../src/events/index.ts';
import { schemaNode, type SchemaNode } from '../../src/config/schema-view.ts';

const valueOf = (node: SchemaNode): fc.Arbitrary<unknown> => {
  if (node.const !== undefined) return fc.constant(node.const);
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map(valueOf));
  switch (node.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({
        min: node.minimum ?? (node.exclusiveMinimum === undefined ? Number.MIN_SAFE_INTEGER : node.exclusiveMinimum + 1),
        max: node.maximum ?? Number.MAX_SAFE_INTEGER,
      });
    case 'number':
      return numberOf(node);
    case 'string':
      return stringOf(node);
    case 'array':
      return fc.array(valueOf(node.items ?? {}), { minLength: node.minItems ?? 0, maxLength: Math.min(node.maxItems ?? 3, 3) });
    case 'object':
      return objectOf(node);
    case undefined:
    default:
      throw new TypeError(`expected a schema that JSON Schema can say, got ${JSON.stringify(node)}`);
  }
};

const numberOf = ({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: SchemaNode): fc.Arbitrary<number> =>
  fc
    .double({
      min: minimum ?? exclusiveMinimum ?? -1e15,
      minExcluded: exclusiveMinimum !== undefined,
      max: maximum ?? exclusiveMaximum ?? 1e15,
      maxExcluded: exclusiveMaximum !== undefined,
      noNaN: true,
    })
    // JSON has no negative zero.
    .map((value) => value + 0);

const stringOf = ({ format, pattern, minLength, maxLength }: SchemaNode): fc.Arbitrary<string> => {
  if (format === 'date-time')
    return fc.date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString());
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.string({ unit: 'binary', minLength: minLength ?? 0, maxLength: Math.min(maxLength ?? 64, 64) });
};

const objectOf = ({ properties = {}, required = [] }: SchemaNode): fc.Arbitrary<unknown> =>
  fc.record(Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, valueOf(child)])), { requiredKeys: [...required] });

/** Valid events of a type, made from its very schema: a new event or field is covered without a line here. */
export const eventOf = (type: EventType): fc.Arbitrary<SwitchyardEvent> =>
  valueOf(schemaNode(catalogue[type].schema)).map((event) => catalogue[type].schema.parse(event));

export const anyEvent: fc.Arbitrary<SwitchyardEvent> = fc.oneof(...(Object.keys(catalogue) as EventType[]).map(eventOf));

/** Attributes that an event may lack. */
export const optionalAttributes = Object.entries(envelopeShape)
  .filter(([, schema]) => schema.safeParse(undefined).success)
  .map(([name]) => name);
