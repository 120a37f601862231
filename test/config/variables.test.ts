import { expect, it } from 'vitest';
import { configSchema, type ConfigInput } from '../../src/config/schema.ts';
import { valueAt, type SchemaNode } from '../../src/config/schema-view.ts';
import { applyVariables, conventionalNames, variables } from '../../src/config/variables.ts';
import { testSettings } from '../support/settings.ts';

const base: ConfigInput = testSettings().config;

/** A valid value of the node that is not the given one. */
const another = (node: SchemaNode, value: unknown): string => {
  const {
    type,
    enum: choices,
    const: only,
    minimum,
    exclusiveMinimum,
    pattern,
  } = node.anyOf?.find((branch) => branch.type !== 'null') ?? node;
  if (typeof only === 'string') return only;
  if (choices !== undefined) return String(choices.find((choice) => choice !== value));
  if (type === 'boolean') return String(value !== true);
  if (type === 'integer' || type === 'number') return String(value === 3 || (exclusiveMinimum ?? minimum ?? 0) > 3 ? 5 : 3);
  if (pattern?.includes('nats') === true) return 'nats://127.0.0.1:1';
  return pattern?.includes('http') === true ? 'http://127.0.0.1:1' : 'other';
};

it('each key outside of lists has a name of its own', () => {
  const names = [...variables.map(({ name }) => name), ...Object.values(conventionalNames)];
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain('SWITCHYARD_REQUESTS_ACK_WAIT_SECONDS');
  expect(names).toContain('SWITCHYARD_POLICY_TRIAL_REQUESTS');
});

it.each(variables.map((variable) => [variable.name, variable] as const))('%s sets its key and no other', (name, { path, node }) => {
  const text = another(node, valueAt(path, base));
  const { config, origin } = applyVariables(base, { [name]: text });
  expect(String(valueAt(path, config))).toBe(text);
  expect(origin(path)).toBe(name);
  const earlier = valueAt(path, base);
  if (earlier !== undefined) expect(applyVariables(config, { [name]: JSON.stringify(earlier).replaceAll('"', '') }).config).toEqual(base);
  const read = configSchema.safeParse(config);
  const inRange = !(node.maximum !== undefined && Number(text) > node.maximum);
  // The value reaches the schema as the type it expects; rules between keys may still refuse it.
  if (!read.success && inRange) expect(read.error.issues.map(({ code }) => code)).toEqual(['custom']);
});

it('conventional names belong to keys that exist', () => {
  for (const key of Object.keys(conventionalNames)) expect(variables.some(({ path }) => path.join('.') === key)).toBe(true);
});
