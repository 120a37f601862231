import { z } from 'zod';
import { configSchema } from './schema.ts';

/**
 * The configuration's schema as plain data (JSON Schema), for those who ask what may stand where: environment variables, error messages and the
 * generated page.
 */
export type SchemaNode = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of keys that nobody lists; false where there may be none. */
  readonly additionalProperties?: SchemaNode | false;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
};

export type ConfigPath = readonly (string | number)[];

export const schemaNode = (schema: z.ZodType): SchemaNode => z.toJSONSchema(schema, { io: 'input' }) as SchemaNode;

export const configNode: SchemaNode = schemaNode(configSchema);

/** The node at a path, or null. `value` is what was read there: it tells which branch of a union is meant. */
export const nodeAt = (path: ConfigPath, value: unknown, from: SchemaNode = configNode): SchemaNode | null => {
  const node = branchFor(from, value);
  const [key, ...rest] = path;
  if (key === undefined) return node;
  const next = typeof key === 'number' ? node.items : (node.properties?.[key] ?? (key === 'kind' ? anyKind(node) : anyKey(node)));
  return next === undefined ? null : nodeAt(rest, childOf(value, key), next);
};

/** The value at a path, or undefined. */
export const valueAt = (path: ConfigPath, value: unknown): unknown => path.reduce(childOf, value);

const childOf = (value: unknown, key: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string | number, unknown>)[key] : undefined;

const branchFor = (node: SchemaNode, value: unknown): SchemaNode =>
  node.oneOf?.find((branch) => branch.properties?.['kind']?.const === childOf(value, 'kind')) ?? node;

const anyKey = ({ additionalProperties }: SchemaNode): SchemaNode | undefined =>
  additionalProperties === false ? undefined : additionalProperties;

/** The keys that a group may have, whichever of its kinds it is; without the kind itself. */
export const propertiesOf = ({ properties, oneOf }: SchemaNode): SchemaNode['properties'] => {
  if (oneOf === undefined) return properties;
  const [first, ...others] = oneOf;
  const entries = Object.entries(first?.properties ?? {});
  return Object.fromEntries(entries.filter(([key]) => key !== 'kind' && others.every((other) => other.properties?.[key] !== undefined)));
};

/** What `kind` may be in a union, for a value that names none of them. */
const anyKind = ({ oneOf }: SchemaNode): SchemaNode | undefined =>
  oneOf === undefined ? undefined : { enum: oneOf.map((branch) => branch.properties?.['kind']?.const) };

/** In words: "a whole number from 1 to 600", "one of always, second, os". */
export const describeNode = (node: SchemaNode): string => {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return `one of ${node.enum.map(String).join(', ')}`;
  switch (node.type) {
    case 'integer':
      return `a whole number${range(node)}`;
    case 'number':
      return `a number${range(node)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return node.format === 'date-time'
        ? 'a time such as 2026-01-31T12:00:00.000Z'
        : `text${length(node)}${node.pattern === undefined ? '' : ` matching \`${node.pattern}\``}`;
    case 'array':
      return `a list${node.minItems === undefined ? '' : ` of ${node.minItems} to ${node.maxItems ?? 'any number of'} entries`}`;
    case 'object':
      return 'a group of keys';
    case undefined:
    default:
      return unionInWords(node);
  }
};

const unionInWords = ({ oneOf, anyOf }: SchemaNode): string => {
  const kinds = oneOf?.map((branch) => branch.properties?.['kind']?.const);
  if (kinds !== undefined) return `a group of keys with a "kind", one of ${kinds.map(String).join(', ')}`;
  return anyOf === undefined ? 'anything' : anyOf.map((branch) => (branch.type === 'null' ? 'null' : describeNode(branch))).join(' or ');
};

const range = ({ minimum, exclusiveMinimum, maximum, exclusiveMaximum, type }: SchemaNode): string => {
  const least = exclusiveMinimum === undefined ? minimum : type === 'integer' ? exclusiveMinimum + 1 : undefined;
  const above = exclusiveMinimum !== undefined && type !== 'integer' ? ` above ${exclusiveMinimum}` : '';
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const below = exclusiveMaximum === undefined ? '' : ` below ${exclusiveMaximum}`;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (least !== undefined && least !== Number.MIN_SAFE_INTEGER) return ` from ${least}${below === '' ? '' : ` and${below}`}`;
  return [above, most === undefined ? '' : ` up to ${most}`, below].filter((part) => part !== '').join(' and');
};

const length = ({ minLength, maxLength }: SchemaNode): string =>
  maxLength === undefined ? '' : ` of ${minLength ?? 0} to ${maxLength} characters`;
