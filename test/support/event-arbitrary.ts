import fc from 'fast-check';
import { envelopeShape } from '../../src/events/envelope.ts';
import { catalogue, type EventType, type SwitchyardEvent } from '../../src/events/index.ts';
import { schemaNode, type SchemaNode } from '../../src/config/schema-view.ts';

const valueOf = (node: SchemaNode): fc.Arbitrary<unknown> => {
  if (node.const !== undefined) return fc.constant(node.const);
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  const branches = node.anyOf ?? node.oneOf;
  if (branches !== undefined) return fc.oneof(...branches.map(valueOf));
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

const numberOf = ({ minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf }: SchemaNode): fc.Arbitrary<number> => {
  if (multipleOf !== undefined) {
    const parts = Math.round(1 / multipleOf);
    return fc.integer({ min: (minimum ?? 0) * parts, max: (maximum ?? 1_000) * parts }).map((count) => count / parts);
  }
  return (
    fc
      .double({
        min: minimum ?? exclusiveMinimum ?? -1e15,
        minExcluded: exclusiveMinimum !== undefined,
        max: maximum ?? exclusiveMaximum ?? 1e15,
        maxExcluded: exclusiveMaximum !== undefined,
        noNaN: true,
      })
      // JSON has no negative zero.
      .map((value) => value + 0)
  );
};

const stringOf = ({ format, pattern, minLength, maxLength }: SchemaNode): fc.Arbitrary<string> => {
  if (format === 'date-time')
    return fc.date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString());
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.string({ unit: 'binary', minLength: minLength ?? 0, maxLength: Math.min(maxLength ?? 64, 64) });
};

const objectOf = (node: SchemaNode): fc.Arbitrary<unknown> => {
  const { properties = {} } = node;
  if (isWeights(node)) return weights;
  if ('rewardPerUsd' in properties && 'totals' in properties) return recordOf(node).map(withoutPrices);
  return recordOf(node);
};

const recordOf = (node: SchemaNode): fc.Arbitrary<object> => {
  const { properties = {}, required = [], additionalProperties } = node;
  if (additionalProperties !== undefined && additionalProperties !== false && Object.keys(properties).length === 0)
    return fc.dictionary(fc.constantFrom('small', 'medium', 'large'), valueOf(additionalProperties), { maxKeys: 3, noNullPrototype: true });
  return fc.record(Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, valueOf(child)])), {
    // What a policy leaves out is filled in while it is read, so that it would not come back equal.
    requiredKeys: Object.entries(properties).flatMap(([key, child]) =>
      required.includes(key) || child.default !== undefined ? [key] : [],
    ),
  });
};

/** Prices are bounded by the budgets they stand for, which JSON Schema cannot say either. */
const withoutPrices = (pace: object) => ({ ...pace, rewardPerUsd: 0, rewardPerSecond: 0 });

/** The four weights of the reward sum to one, which JSON Schema cannot say. */
const isWeights = ({ properties = {} }: SchemaNode): boolean =>
  Object.keys(properties).sort().join() === 'cache,cost,streaming,success' &&
  Object.values(properties).every(({ type }) => type === 'number');

const weights = fc
  .tuple(fc.nat(1_024), fc.nat(1_024), fc.nat(1_024))
  .map((cuts) => cuts.toSorted((a, b) => a - b).map((cut) => cut / 1_024))
  .map(([a = 0, b = 0, c = 0]) => ({ success: a, streaming: b - a, cache: c - b, cost: 1 - c }));

/** Valid events of a type, made from its very schema: a new event or field is covered without a line here. */
export const eventOf = (type: EventType): fc.Arbitrary<SwitchyardEvent> =>
  valueOf(schemaNode(catalogue[type].schema)).map((event) => catalogue[type].schema.parse(event));

export const anyEvent: fc.Arbitrary<SwitchyardEvent> = fc.oneof(...(Object.keys(catalogue) as EventType[]).map(eventOf));

/** Attributes that an event may lack. */
export const optionalAttributes = Object.entries(envelopeShape)
  .filter(([, schema]) => schema.safeParse(undefined).success)
  .map(([name]) => name);
