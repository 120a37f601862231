import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadSettings, requireApiKeys } from '../../src/config/load.ts';
import type { Environment } from '../../src/config/variables.ts';

const key = 'ab'.repeat(32);
const withKey = { SWITCHYARD_HASH_KEY: key };

const minimal = `
models:
  - id: small
    provider: { kind: simulated, firstTokenMs: { median: 1, p95: 2 }, tokensPerSecond: 10, quality: 0.5 }
    price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 }
    contextTokens: 1000
arms:
  - { id: small, model: small }
`;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'switchyard-config-'));
  file = path.join(folder, 'yard.yaml');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const load = (text: string | Uint8Array, env: Environment = withKey) => {
  writeFileSync(file, text);
  return loadSettings({ file, env, cwd: folder });
};

const problemsOf = (text: string | Uint8Array, env: Environment = withKey): ConfigError => {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError, but it loaded');
};

describe('what is loaded', () => {
  it('is the file with defaults under it', () => {
    const { config, file: read } = load(`${minimal}\nhttp: { port: 9000 }\n`);
    expect(read).toBe(file);
    expect(config.http).toMatchObject({ port: 9000, host: '127.0.0.1' });
    expect(config.tenants).toEqual([{ id: 'default' }]);
    expect(config.dataDir).toBe(path.join(folder, '.switchyard'));
  });

  it('is the switchyard.yaml of this clone when nobody names another, with four simulated models', () => {
    const { config } = loadSettings({ env: { ...withKey, SWITCHYARD_DATA_DIR: folder } });
    expect(config.models.map(({ id, provider }) => [id.startsWith('sim-'), provider.kind])).toEqual(Array(4).fill([true, 'simulated']));
    expect(config.arms.map((arm) => arm.model)).toEqual(config.models.map((model) => model.id));
  });

  it('is the file of SWITCHYARD_CONFIG, from the working folder', () => {
    writeFileSync(file, `${minimal}\nlogLevel: warn\n`);
    const { config } = loadSettings({ env: { ...withKey, SWITCHYARD_CONFIG: 'yard.yaml' }, cwd: folder });
    expect(config.logLevel).toBe('warn');
  });

  it('takes relative folders from the file, wherever the command is called', () => {
    mkdirSync(path.join(folder, 'elsewhere'));
    writeFileSync(
      file,
      `${minimal.replace(/provider: .*/, 'provider: { kind: recorded, folder: ../recorded, model: m }')}\ndataDir: data\n`,
    );
    const { config } = loadSettings({ file: '../yard.yaml', env: withKey, cwd: path.join(folder, 'elsewhere') });
    expect(config.dataDir).toBe(path.join(folder, 'data'));
    expect(config.models[0]?.provider).toMatchObject({ folder: path.join(path.dirname(folder), 'recorded') });
  });
});

describe('the environment', () => {
  it('wins over the file, with numbers, booleans and text', () => {
    const { config } = load(`${minimal}\nhttp: { port: 9000 }\n`, {
      ...withKey,
      SWITCHYARD_HTTP_PORT: '9001',
      SWITCHYARD_CACHE_ENABLED: 'false',
      SWITCHYARD_REQUESTS_ACK_WAIT_SECONDS: '7',
      NATS_URL: 'nats://127.0.0.1:1',
      CLICKHOUSE_USER: 'analyst',
    });
    expect(config.http.port).toBe(9001);
    expect(config.cache.enabled).toBe(false);
    expect(config.requests.ackWaitSeconds).toBe(7);
    expect(config.nats.url).toBe('nats://127.0.0.1:1');
    expect(config.clickhouse.user).toBe('analyst');
  });

  it('prefers the derived name to the conventional one', () => {
    const env = { ...withKey, NATS_URL: 'nats://conventional:1', SWITCHYARD_NATS_URL: 'nats://derived:1' };
    expect(load(minimal, env).config.nats.url).toBe('nats://derived:1');
  });

  it('changes one weight of a group and leaves the defaults of the others', () => {
    const env = { ...withKey, SWITCHYARD_REWARD_WEIGHTS_SUCCESS: '0.5', SWITCHYARD_REWARD_WEIGHTS_COST: '0.1' };
    expect(load(minimal, env).config.reward.weights).toEqual({ success: 0.5, streaming: 0.2, cache: 0.2, cost: 0.1 });
  });

  it('fills up a group that is in the file in part, one value from the environment or not', () => {
    const text = `${minimal.replace('quality: 0.5', 'quality: 0.5, answerTokens: { p95: 90 }')}
policy: { kind: contextual-thompson, trial: { requests: 3 }, prior: { alpha: 2 } }
reward: { weights: { success: 0.5, cost: 0.1 } }
`;
    const { config } = load(text, { ...withKey, SWITCHYARD_POLICY_TRIAL_SHARE: '0.06' });
    expect(config.policy).toMatchObject({ trial: { requests: 3, share: 0.06 }, prior: { alpha: 2, beta: 1 } });
    expect(config.reward.weights).toEqual({ success: 0.5, streaming: 0.2, cache: 0.2, cost: 0.1 });
    expect(config.models[0]?.provider).toMatchObject({ answerTokens: { median: 60, p95: 90 } });
    expect(load(`${minimal}\npolicy: { kind: contextual-thompson, trial: { requests: 3 } }\n`).config.policy.trial.share).toBe(0.05);
  });

  it('counts a variable that is set to nothing as not set', () => {
    expect(load(minimal, { ...withKey, NATS_URL: '', SWITCHYARD_HTTP_PORT: '' }).config.nats.url).toBeUndefined();
  });

  it('refuses a misspelt variable and says which one was meant', () => {
    const { message } = problemsOf(minimal, { ...withKey, SWITCHYARD_HTPP_PORT: '1', SWITCHYARD_NATS_PASSWORD: 'hush' });
    expect(message).toContain('SWITCHYARD_HTPP_PORT: expected a known variable; did you mean SWITCHYARD_HTTP_PORT?');
    expect(message).toContain('did you mean NATS_PASSWORD?');
    expect(message).not.toContain('hush');
  });

  it('names the variable where its value is wrong', () => {
    const { problems } = problemsOf(minimal, { ...withKey, SWITCHYARD_HTTP_PORT: 'eighty', SWITCHYARD_CACHE_ENABLED: 'yes' });
    expect(problems).toEqual([
      { where: 'environment variable SWITCHYARD_HTTP_PORT', line: undefined, expected: 'a whole number from 0 to 65535', seen: '"eighty"' },
      { where: 'environment variable SWITCHYARD_CACHE_ENABLED', line: undefined, expected: 'true or false', seen: '"yes"' },
    ]);
  });
});

describe('secrets', () => {
  const real = minimal.replace(
    /provider: .*/,
    'provider: { kind: openai-compatible, baseUrl: "https://a.example/v1", model: m, apiKeyEnv: A_KEY }',
  );

  it('come from the environment', () => {
    const { secrets } = load(real, { ...withKey, A_KEY: 'k', NATS_PASSWORD: 'n', CLICKHOUSE_PASSWORD: 'c' });
    expect(secrets.apiKeys).toEqual(new Map([['A_KEY', 'k']]));
    expect([secrets.natsPassword, secrets.clickhousePassword]).toEqual(['n', 'c']);
    expect(Buffer.from(secrets.hashKey).toString('hex')).toBe(key);
  });

  it('that are missing are told to who needs them, and to nobody else', () => {
    const settings = load(real);
    expect(() => {
      requireApiKeys(settings);
    }).toThrow(/models\[0\]\.provider\.apiKeyEnv: expected the environment variable A_KEY to hold the key/);
  });

  it('may be in a variable of ours that a model names', () => {
    expect(load(real.replace('A_KEY', 'SWITCHYARD_A_KEY'), { ...withKey, SWITCHYARD_A_KEY: 'k' }).secrets.apiKeys.size).toBe(1);
  });

  it.each([
    ['nats: { password: hunter2 }', 'nats.password', 'NATS_PASSWORD'],
    ['clickhouse: { password: hunter2 }', 'clickhouse.password', 'CLICKHOUSE_PASSWORD'],
    ['hashKey: hunter2', 'hashKey', 'SWITCHYARD_HASH_KEY'],
  ])('are refused in the file: %s', (text, where, variable) => {
    const { message, problems } = problemsOf(`${minimal}\n${text}\n`);
    expect(problems[0]).toMatchObject({ where, seen: null });
    expect(message).toContain(variable);
    expect(message).not.toContain('hunter2');
  });

  it.each([
    ['a key in place of its name', real.replace('A_KEY', 'sk-hunter2'), withKey],
    ['a key of its own', real.replace('apiKeyEnv: A_KEY', 'apiKey: hunter2'), withKey],
    ['an address with a password', `${minimal}\nnats: { url: "nats://me:hunter2@127.0.0.1:1" }`, withKey],
    ['an address of the environment with a password', minimal, { ...withKey, CLICKHOUSE_URL: 'http://me:hunter2@127.0.0.1:1' }],
    ['a bad hash key', minimal, { SWITCHYARD_HASH_KEY: 'hunter2' }],
  ])('never show in a message: %s', (_what, text, env) => {
    expect(problemsOf(text, env).message).not.toContain('hunter2');
  });
});

describe('a mistake', () => {
  it('is told with all others at once, with line, what was expected and what was seen', () => {
    const { message } = problemsOf(`logLevel: loud
http:
  port: eighty
  hots: x
requests:
models:
  - id: a b
    provider: { kind: imagined }
    contextTokens: 1000
    price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: -1 }
  - id: twin
    provider: { kind: simulated, firstTokenMs: { median: 5, p95: 2 }, tokensPerSecond: 10, quality: 0.5, seeds: 1 }
    price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 }
    contextTokens: 1000
  - id: twin
    provider: { kind: simulated, firstTokenMs: { median: 1, p95: 2 }, tokensPerSecond: 10, quality: 0.5 }
    price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 }
    contextTokens: 1000
arms:
  - { id: x, model: nobody, enabled: false }
`);
    expect(message.replace(folder, '<folder>')).toMatchSnapshot();
  });

  it.each([
    ['a missing file', null, 'a file that can be read, got no such file'],
    ['an empty file', '', 'at least models and arms, got an empty file'],
    ['a file of comments', '# nothing\n', 'an empty file'],
    ['a list', '- a\n- b\n', 'the file: expected a group of keys, got a list of 2'],
    ['a sentence', 'hello', 'the file: expected a group of keys, got "hello"'],
    ['broken YAML', 'models: [a\narms: b', '(line 2): expected valid YAML'],
    ['a key twice', `${minimal}\nlogLevel: info\nlogLevel: warn\n`, 'Map keys must be unique'],
    ['two documents', `${minimal}\n---\nb: 1\n`, 'expected valid YAML (multiple docs)'],
    ['an unknown anchor', `${minimal}\nlogLevel: *nowhere\n`, 'each of an anchor that stands before it'],
  ])('can be %s', (_what, text, said) => {
    if (text === null) expect(() => loadSettings({ file, env: withKey })).toThrow(said);
    else expect(problemsOf(text).message).toContain(said);
  });

  it('can be bytes that are not UTF-8', () => {
    expect(problemsOf(Uint8Array.from([0x61, 0x3a, 0x20, 0xff, 0xfe])).message).toContain('expected text in UTF-8');
  });

  it('can be aliases that would unfold to billions of entries', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`);
    // They are never unfolded: this would not end.
    expect(problemsOf(`l0: &l0 [x]\n${levels.join('\n')}\n`).message).toContain('aliases');
  });

  it('can be a key that would reach the prototype', () => {
    expect(problemsOf(`${minimal}\n__proto__: { logLevel: warn }\n`).message).toContain('__proto__');
    expect(Object.hasOwn(Object.prototype, 'logLevel')).toBe(false);
  });

  it.each([
    ['reward: { weights: { success: 0.5 } }', 'reward.weights', '1.1'],
    ['tenants: [{ id: a, weights: { success: 0.5, streaming: 0.2, cache: 0.2, cost: 0.2 } }]', 'tenants[0].weights', '1.1'],
    ['policy: { kind: static, shares: { small: 0.7 } }', 'policy.shares', '0.7'],
    ['policy: { kind: contextual-thompson, memory: { halfLifeSeconds: .nan } }', 'policy.memory.halfLifeSeconds', '.nan'],
  ])('is told with what was seen: %s', (text, where, seen) => {
    expect(problemsOf(`${minimal}\n${text}\n`).problems).toMatchObject([{ where, seen }]);
  });

  it('leaves nothing behind: no folder is made before all is right', () => {
    problemsOf(`${minimal}\nlogLevel: loud\ndataDir: made\n`, {});
    expect(statSync(path.join(folder, 'made'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it.each([
    ['arms: [{ id: a, model: small }, { id: a, model: small }]', 'each arm id once'],
    ['arms: [{ id: auto, model: small }]', 'another name: "auto"'],
    ['arms: [{ id: a, model: small, enabled: false }]', 'at least one enabled arm'],
    ['arms: [{ id: a, model: small }, { id: b, model: small }]\npolicy: { kind: epsilon-greedy, floor: 0.5 }', 'less than 1 / 2'],
    ['arms: [{ id: a, model: small }]\npolicy: { kind: static, shares: { a: 0.5 } }', 'shares that sum to 1'],
    ['arms: [{ id: a, model: small }]\npolicy: { kind: complexity, simple: a, complex: b }', 'did you mean a?'],
    ['arms: [{ id: a, model: small }]\ntenants: [{ id: a }, { id: a }]', 'each tenant id once'],
    ['arms: [{ id: a, model: small }]\ntenants: [{ id: _system }]', 'does not begin with "_"'],
    ['arms: [{ id: a, model: small }]\nrequests: { ackWaitSeconds: 600 }', 'within log.duplicateWindowSeconds'],
    ['arms: [{ id: a, model: small }]\nlog: { maxAgeDays: 0.00105 }', 'no less than log.duplicateWindowSeconds (300 s, 0.00348 days)'],
    [
      'arms: [{ id: a, model: small }]\nreward: { weights: { success: 1, streaming: 1, cache: 0, cost: 0 } }',
      'the four weights to sum to 1',
    ],
  ])('can be a rule between parts: %s', (text, expected) => {
    const { problems } = problemsOf(minimal.replace(/arms:[^]*/, text));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.expected).toContain(expected);
  });
});
