import type { z } from 'zod';
import { show, type ConfigProblem } from './config-error.ts';
import { nearest } from './nearest.ts';
import { describeNode, nodeAt, valueAt, type ConfigPath, type SchemaNode } from './schema-view.ts';

/** What the problems are told with: where each value came from. */
export type Origins = {
  readonly content: unknown;
  readonly lineOf: (path: ConfigPath) => number | undefined;
  readonly variableOf: (path: ConfigPath) => string | undefined;
  /** What was read; the configuration unless told otherwise. */
  readonly node?: SchemaNode;
};

/** What the schema found, in words: one problem for each wrong value and each unknown key, in the order of the file. */
export const problemsOf = (error: z.ZodError, origins: Origins): readonly ConfigProblem[] =>
  error.issues
    .flatMap((issue) => {
      const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
      if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], origins));
      return [wrongValue(path, issue, origins)];
    })
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0));

const wrongValue = (path: ConfigPath, issue: z.core.$ZodIssue, { content, lineOf, variableOf, node: from }: Origins): ConfigProblem => {
  const { message } = issue;
  const variable = variableOf(path);
  // A rule about several values says itself what it saw, such as their sum.
  const seen: unknown = (issue.code === 'custom' ? issue.params?.['seen'] : undefined) ?? valueAt(path, content);
  const node = nodeAt(path, content, from);
  return {
    where: variable === undefined ? inWords(path) : `environment variable ${variable}`,
    line: variable === undefined ? lineOf(path) : undefined,
    // The schema's own words where it has some; they begin with "expected". Else what the schema says of this place.
    expected: message.startsWith('expected ') ? message.slice('expected '.length) : node === null ? 'another value' : describeNode(node),
    seen: mayBeSecret(path.at(-1)) && seen !== undefined ? '(hidden)' : show(seen),
  };
};

const unknownKey = (path: ConfigPath, { content, lineOf, node: from }: Origins): ConfigProblem => {
  const group = path.slice(0, -1);
  const known = Object.keys(nodeAt(group, content, from)?.properties ?? {});
  const meant = nearest(String(path.at(-1)), known);
  return { where: inWords(path), line: lineOf(path), expected: secretAdvice(path) ?? knownKeys(meant, known), seen: null };
};

const knownKeys = (meant: string | null, known: readonly string[]): string =>
  meant === null ? `one of the keys ${known.join(', ')}` : `a known key; did you mean ${meant}?`;

/** Keys by which a secret could come into the file. Their values are never shown. */
const mayBeSecret = (key: string | number | undefined): boolean => /key|password|secret|credential/i.test(String(key));

const secretAdvice = (path: ConfigPath): string | null => {
  const key = String(path.at(-1));
  if (!mayBeSecret(key) && !/^(api)?token$/i.test(key)) return null;
  const variable = {
    nats: 'NATS_PASSWORD',
    clickhouse: 'CLICKHOUSE_PASSWORD',
    models: 'the variable that apiKeyEnv names',
  }[String(path[0])];
  return `no secret in the file; it comes from the environment${variable === undefined ? (/hash/i.test(key) ? ' (SWITCHYARD_HASH_KEY)' : '') : ` (${variable})`}`;
};

/** models[1].provider.baseUrl */
export const inWords = (path: ConfigPath): string =>
  path.length === 0
    ? 'the file'
    : path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
