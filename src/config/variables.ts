import type { ConfigProblem } from './config-error.ts';
import { nearest } from './nearest.ts';
import { configNode, propertiesOf, valueAt, type ConfigPath, type SchemaNode } from './schema-view.ts';

/**
 * Environment variables that stand for keys of the file. Each key outside of lists has one, derived from its path: requests.ackWaitSeconds is
 * SWITCHYARD_REQUESTS_ACK_WAIT_SECONDS. A few have a conventional name as well; where both are set, the derived one counts.
 */
export type Variable = {
  readonly name: string;
  readonly path: readonly string[];
  readonly node: SchemaNode;
  /** The value without file and environment, or undefined. */
  readonly default: unknown;
};

export type Environment = Readonly<Record<string, string | undefined>>;

export const secretVariables = {
  NATS_PASSWORD: 'password at the NATS server, with nats.user',
  CLICKHOUSE_PASSWORD: 'password at the ClickHouse server, with clickhouse.user',
  SWITCHYARD_HASH_KEY:
    'key of the hashes that stand in events in place of text: 64 hexadecimal digits (`openssl rand -hex 32`); without it the first process on a NATS server makes one, which the others take over; each keeps it in the file `hash-key` of dataDir',
} as const;

export const fileVariable = 'SWITCHYARD_CONFIG';

export const conventionalNames: Readonly<Record<string, string>> = {
  'nats.url': 'NATS_URL',
  'nats.user': 'NATS_USER',
  'clickhouse.url': 'CLICKHOUSE_URL',
  'clickhouse.user': 'CLICKHOUSE_USER',
};

const derivedName = (path: readonly string[]): string =>
  ['switchyard', ...path].map((word) => word.replace(/[A-Z]/g, '_$&').toUpperCase()).join('_');

const leaves = (node: SchemaNode, path: readonly string[], fallback: unknown): readonly Variable[] => {
  const properties = propertiesOf(node);
  if (properties !== undefined)
    return Object.entries(properties).flatMap(([key, child]) => leaves(child, [...path, key], child.default ?? valueAt([key], fallback)));
  return node.type === 'array' ? [] : [{ name: derivedName(path), path, node, default: fallback }];
};

export const variables: readonly Variable[] = leaves(configNode, [], configNode.default);

export type Overridden = {
  readonly config: unknown;
  /** The variable that gave the value at a path, for error messages. */
  readonly origin: (path: ConfigPath) => string | undefined;
};

/** The file's content with the environment's values in place. What cannot be a number or a boolean stays text, for the schema to refuse. */
export const applyVariables = (config: unknown, env: Environment): Overridden => {
  const origins = new Map<string, string>();
  let overridden = config;
  for (const { name, path, node } of variables) {
    const given = [name, conventionalNames[path.join('.')]].find((known) => known !== undefined && isGiven(env[known]));
    if (given === undefined) continue;
    overridden = withValue(overridden, path, fromText(env[given] ?? '', node), configNode);
    origins.set(path.join('.'), given);
  }
  return { config: overridden, origin: (path) => origins.get(path.join('.')) };
};

/** A variable set to nothing counts as not set, as is the custom of compose files. */
export const isGiven = (text: string | undefined): text is string => text !== undefined && text !== '';

const fromText = (text: string, { type, anyOf }: SchemaNode): unknown => {
  // A value that may be null.
  if (anyOf !== undefined) return text === 'null' ? null : fromText(text, anyOf.find((branch) => branch.type !== 'null') ?? {});
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return Number(text);
  return text;
};

/** A copy with one value set. A group that is not in the file begins with its default, so that the rest of that default stays in force. */
const withValue = (config: unknown, path: readonly string[], value: unknown, node: SchemaNode | undefined): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const group = config ?? node?.default ?? {};
  // What is no group stays as it is: the schema refuses it with its own line.
  if (typeof group !== 'object' || Array.isArray(group)) return config;
  return { ...group, [key]: withValue(valueAt([key], group), rest, value, node === undefined ? undefined : propertiesOf(node)?.[key]) };
};

/** A name that begins with SWITCHYARD_ and is none of ours is a misspelling that would otherwise go unnoticed. */
export const unknownVariables = (env: Environment, alsoKnown: readonly string[]): readonly ConfigProblem[] => {
  const known = [...variables.map(({ name }) => name), ...Object.values(conventionalNames), ...Object.keys(secretVariables), fileVariable];
  const plain = (name: string) => name.replace(/^SWITCHYARD_/, '');
  return Object.keys(env)
    .filter((name) => name.startsWith('SWITCHYARD_') && !known.includes(name) && !alsoKnown.includes(name))
    .map((name) => {
      const meant = nearest(plain(name), known.map(plain));
      const suggestion = meant === null ? undefined : known.find((candidate) => plain(candidate) === meant);
      return {
        where: `environment variable ${name}`,
        expected:
          suggestion === undefined
            ? 'a variable of docs/configuration.md; there is none of this name'
            : `a known variable; did you mean ${suggestion}?`,
        seen: null,
      };
    });
};
