import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadPolicyFile } from '../../src/config/policy-file.ts';
import { policyProblems } from '../../src/config/policy-rules.ts';
import { cellCount, cellsOf } from '../../src/domain/routing/features/cells.ts';
import { extractFeatures } from '../../src/domain/routing/features/extract.ts';
import { policyFrom } from '../../src/domain/routing/policies/index.ts';
import { systemTenant } from '../../src/events/index.ts';
import { requestKinds, signatureValues } from '../../src/events/schemas/features.ts';
import { policySpecSchema } from '../../src/events/schemas/policy.ts';
import { sharesOf } from '../domain/routing/policies/support.ts';

const arms = ['small', 'medium', 'large'];
const features = extractFeatures({ messages: [], parameters: {}, tenant: systemTenant });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'switchyard-policy-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const load = (text: string | Uint8Array, name = 'policy.yaml') => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return loadPolicyFile(file, arms);
};

const refused = (text: string | Uint8Array): ConfigError => {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError, but it loaded');
};

const warm = (cell: string) =>
  `kind: contextual-thompson\nwarmStart:\n  cells:\n    - { arm: small, cell: "${cell}", trials: 5, reward: 0.5 }`;

it('is YAML or JSON, with the defaults of the configuration under it', () => {
  const policy = load('kind: static\nshares: { small: 0.75, large: 0.25 }\n');
  expect(policy).toMatchObject({ kind: 'static', floor: 0.01, switchingCost: 0, shares: { small: 0.75, large: 0.25 } });
  expect(load('{"kind":"static","shares":{"small":0.75,"large":0.25}}', 'policy.json')).toEqual(policy);
});

it.each([
  ['kind: static\nshares: { small: 0.5, huge: 0.5 }', 'shares.huge', 2, /one of the arms small, medium, large/],
  ['kind: static\nshares: { smal: 1 }', 'shares.smal', 2, /did you mean small\?/],
  ['kind: static\nshares: { small: 0.5, large: 0.4 }', 'shares', 2, /sum to 1/],
  ['kind: static\nshares: { small: 1, large: -0.5 }', 'shares.large', 2, /a number from 0 to 1/],
  ['kind: static\nfloor: 0.34\nshares: { small: 1 }', 'floor', 2, /less than 1 \/ 3/],
  ['kind: epsilon-greedy\ntrial: { requests: 10, share: 0.4 }', 'trial.share', 2, /less than 1 \/ 3/],
  ['kind: epsilon-greedy\nepsilon: .nan', 'epsilon', 2, /from 0 to 1/],
  ['kind: complexity\nsimple: small\ncomplex: hugo', 'complex', 3, /one of the arms/],
  ['kind: contextual-thompson\nmemory: { halfLifeSeconds: 0 }', 'memory.halfLifeSeconds', 2, /./],
  [
    'kind: contextual-thompson\nwarmStart:\n  cells:\n    - { arm: tiny, cell: all, trials: 5, reward: 0.5 }',
    'warmStart.cells[0].arm',
    4,
    /one of the arms/,
  ],
  [
    'kind: contextual-thompson\nwarmStart:\n  cells:\n    - { arm: small, cell: all, trials: 5, reward: 0.5 }\n    - { arm: small, cell: all, trials: 5, reward: 0.6 }',
    'warmStart.cells[1]',
    5,
    /once in each cell/,
  ],
  [warm('kinds:other'), 'warmStart.cells[0].cell', 4, /^all, kind:<kind> or ending:<kind>:<0 to 31>$/],
  [warm('all:other'), 'warmStart.cells[0].cell', 4, /^all, kind:<kind>/],
  [warm('kind:multiple-choise'), 'warmStart.cells[0].cell', 4, /did you mean kind:multiple-choice\?$/],
  [warm('ending:arithmetics:3'), 'warmStart.cells[0].cell', 4, /did you mean ending:arithmetic\?$/],
  [warm('kind:weather'), 'warmStart.cells[0].cell', 4, /one of multiple-choice, /],
  [warm('kind:other:3'), 'warmStart.cells[0].cell', 4, /^all, kind:<kind>/],
  [warm('ending:other'), 'warmStart.cells[0].cell', 4, /^all, kind:<kind>/],
  [warm('ending:other:32'), 'warmStart.cells[0].cell', 4, /<0 to 31>/],
  [warm('ending:other:03'), 'warmStart.cells[0].cell', 4, /<0 to 31>/],
  [warm('ending:other:-1'), 'warmStart.cells[0].cell', 4, /<0 to 31>/],
  ['kind: thompson', 'kind', 1, /one of static, epsilon-greedy/],
  ['floor: 0.1', 'kind', undefined, /one of static, epsilon-greedy/],
  ['kind: epsilon-greedy\nepsilom: 0.1', 'epsilom', 2, /did you mean epsilon\?/],
] as const)('tells the place and what was expected: %s', (text, where, line, expected) => {
  const { problems, message } = refused(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ where, expected: expect.stringMatching(expected) as string });
  if (line !== undefined) expect(problems[0]?.line).toBe(line);
  expect(message).toContain('The policy has one mistake');
});

it('knows every cell that requests are filed under', () => {
  const cells = new Set(
    requestKinds.flatMap((kind) =>
      Array.from({ length: signatureValues.ending }, (_, ending) => cellsOf({ ...features, kind, ending })).flat(),
    ),
  );
  expect(cells.size).toBe(cellCount);
  const spec = policySpecSchema.parse({
    kind: 'contextual-thompson',
    warmStart: { cells: [...cells].map((cell) => ({ arm: 'small', cell, trials: 5, reward: 0.5 })) },
  });
  expect(policyProblems(spec, arms)).toEqual([]);
});

it.each(['epsilon-greedy', 'beta-bernoulli-thompson', 'contextual-thompson'])(
  'has a default for each key of a group that is there in part: %s',
  (kind) => {
    expect(load(`{"kind":"${kind}","trial":{"requests":3},"prior":{"alpha":2},"memory":{"falseAlarm":null}}`)).toMatchObject({
      trial: { requests: 3, share: 0.05 },
      prior: { alpha: 2, beta: 1 },
      memory: { halfLifeSeconds: 14 * 86_400, falseAlarm: null },
    });
    expect(load(`{"kind":"${kind}","trial":{},"prior":{"beta":3}}`)).toMatchObject({
      trial: { requests: 5, share: 0.05 },
      prior: { alpha: 1, beta: 3 },
    });
  },
);

it('takes thirds for shares: what is within a millionth of 1 is in proportion', () => {
  const thirds = load('kind: static\nshares: { small: 0.3333333, medium: 0.3333333, large: 0.3333333 }');
  const shares = sharesOf(policyFrom(thirds), { candidates: arms });
  for (const share of shares) expect(share).toBeCloseTo(1 / 3, 12);
  expect(refused('kind: static\nshares: { small: 0.333333, medium: 0.333333, large: 0.33333 }').problems[0]).toMatchObject({
    where: 'shares',
    seen: '0.999996',
  });
});

it.each([
  ['kind: contextual-thompson\nmemory: { halfLifeSeconds: .nan }', '.nan'],
  ['kind: contextual-thompson\nmemory: { halfLifeSeconds: .inf }', 'Infinity'],
  ['kind: contextual-thompson\nmemory: { halfLifeSeconds: -1e400 }', '-Infinity'],
])('says what was seen where JSON has no word for it: %s', (text, seen) => {
  expect(refused(text).problems[0]).toMatchObject({ where: 'memory.halfLifeSeconds', seen });
});

it.each([
  ['{"kind":"static","shares":{"small":1,"__proto__":5}}', 1],
  ['kind: static\nshares:\n  small: 1\n  __proto__: 5\n', 4],
])('refuses a key that would be left out without a word: %s', (text, line) => {
  expect(refused(text).problems).toEqual([
    { where: '__proto__', line, expected: expect.stringContaining('another key') as string, seen: null },
  ]);
});

it('says what to do with a policy that still stands under the key of the configuration', () => {
  const { problems } = refused('policy:\n  kind: static\n  shares: { small: 1 }\n');
  expect(problems).toEqual([
    { where: 'policy', line: 1, expected: expect.stringMatching(/take away the line "policy:"/) as string, seen: null },
  ]);
});

it('tells several mistakes at once', () => {
  expect(refused('kind: static\nfloor: 0.4\nshares: { huge: 0.4 }').problems.map(({ where }) => where)).toEqual([
    'floor',
    'shares.huge',
    'shares',
  ]);
});

it.each([
  ['nothing', '', /a policy with its kind/],
  ['no YAML', 'kind: [', /valid YAML/],
  ['no text', new Uint8Array([0xff, 0xfe, 0x00]), /UTF-8/],
  ['too much', `kind: static # ${'x'.repeat(5 * 1024 * 1024)}`, /at most 4194304 bytes/],
  ['a list', '- kind: static', /./],
])('refuses %s', (_what, text, expected) => {
  expect(refused(text).problems[0]?.expected).toMatch(expected);
});

it('says that a file is not there', () => {
  expect(() => loadPolicyFile(path.join(folder, 'none.yaml'), arms)).toThrow(/no such file/);
});

it('leaves what the log holds alone: a cell of other features still parses as part of an event', () => {
  const cells = [{ arm: 'small', cell: 'topic:weather', trials: 5, reward: 0.5 }];
  expect(policySpecSchema.safeParse({ kind: 'contextual-thompson', warmStart: { cells } }).success).toBe(true);
});
