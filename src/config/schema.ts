import { z } from 'zod';
import { nameSchema, tenantSchema } from '../events/index.ts';

/**
 * The shape of switchyard.yaml. Every limit of the yard is here, with its default; units stand last in the names.
 * Objects are strict: a misspelt key is an error that names its path.
 */
const port = z.int().min(0).max(65_535);
const positive = z.number().positive();
const count = z.int().positive();
const milliseconds = z.int().positive().max(86_400_000);

const simulatedProvider = z.strictObject({
  kind: z.literal('simulated'),
  firstTokenMs: z
    .strictObject({ median: z.number().min(0).max(600_000), p95: z.number().min(0).max(600_000) })
    .refine((latency) => latency.p95 >= latency.median, 'expected p95 to be at least the median')
    .describe('log-normal distribution of the time to the first token'),
  tokensPerSecond: positive,
  answerTokens: z
    .strictObject({ median: count, p95: count })
    .refine((tokens) => tokens.p95 >= tokens.median, 'expected p95 to be at least the median')
    .default({ median: 60, p95: 160 }),
  quality: z.number().min(0).max(1).describe('probability that an answer is judged good'),
  errorRate: z.number().min(0).max(1).default(0),
  seed: z.int().default(1),
});

const openaiProvider = z.strictObject({
  kind: z.literal('openai-compatible'),
  baseUrl: z.url({ protocol: /^https?$/ }).describe('up to and without /chat/completions'),
  model: z.string().min(1).max(256).describe('name of the model at the provider'),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, 'expected the name of an environment variable, never the key itself')
    .optional(),
  connections: count.max(4_096).default(256),
});

const recordedProvider = z.strictObject({
  kind: z.literal('recorded'),
  folder: z.string().min(1).describe('folder of *.jsonl or *.jsonl.gz files, one {"prompt","arms":{"<model>":{"reward","cost"}}} a line'),
  model: z.string().min(1).max(256).describe('name of the model in those files'),
  firstTokenMs: z.number().min(0).max(60_000).default(0),
});

export const providerConfigSchema = z.discriminatedUnion('kind', [simulatedProvider, openaiProvider, recordedProvider]);

const modelSchema = z.strictObject({
  id: nameSchema,
  provider: providerConfigSchema,
  price: z
    .strictObject({ inputUsdPerMillionTokens: z.number().min(0).max(10_000), outputUsdPerMillionTokens: z.number().min(0).max(10_000) })
    .describe('dollars per million tokens'),
  contextTokens: count.max(100_000_000),
});

const armSchema = z.strictObject({
  id: nameSchema,
  model: nameSchema,
  strategy: z.enum(['plain']).default('plain').describe('how the model is asked; plain: the messages as they came'),
  enabled: z.boolean().default(true),
});

const share = z.number().min(0).max(1);
const weightsSchema = z
  .strictObject({ success: share, streaming: share, cache: share, cost: share })
  .refine((w) => Math.abs(w.success + w.streaming + w.cache + w.cost - 1) < 1e-9, 'expected the four weights to sum to 1');

const tenantConfigSchema = z.strictObject({
  id: tenantSchema.refine((id) => !id.startsWith('_'), 'expected a name that does not begin with "_"'),
  weights: weightsSchema.optional(),
});

const policySchema = z.strictObject({
  id: nameSchema.default('thompson'),
  kind: z.literal('beta-bernoulli-thompson').default('beta-bernoulli-thompson'),
  floor: z.number().min(0).max(0.5).default(0.01).describe('least probability of each candidate arm'),
  prior: z.strictObject({ alpha: positive, beta: positive }).default({ alpha: 1, beta: 1 }),
});

const rewardSchema = z.strictObject({
  weights: weightsSchema.default({ success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 }),
  firstTokenTargetMs: positive.default(1_000).describe('streaming part: 1 at once, 0.5 at this time to the first token'),
  stallTargetMs: positive.default(2_000).describe('streaming part: 1 without a pause, 0.5 at a longest pause of this length'),
  costTargetUsd: positive.default(0.002).describe('cost part: 1 for free, 0.5 at this price of a request'),
});

export const configSchema = z
  .strictObject({
    dataDir: z.string().min(1).default('.switchyard').describe('where nats-server, ClickHouse and run files live'),
    logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    http: z
      .strictObject({
        host: z.string().default('127.0.0.1'),
        port: port.default(8080),
        bodyLimitBytes: count.max(64 * 1024 * 1024).default(1_048_576),
        connections: count.max(65_536).default(4_096),
      })
      .prefault({}),
    nats: z
      .strictObject({
        url: z
          .string()
          .regex(/^(nats|tls|ws|wss):\/\//, 'expected an address such as nats://127.0.0.1:4222')
          .optional()
          .describe('an existing server; without it `up` starts its own'),
        host: z.string().default('127.0.0.1'),
        port: port.default(4222),
        pingIntervalMs: milliseconds.default(5_000),
        user: z.string().optional(),
      })
      .prefault({}),
    log: z
      .strictObject({
        durability: z
          .enum(['always', 'second', 'os'])
          .default('os')
          .describe(
            'what a power cut may take: nothing (always: each message is synced), the last second (second), the last two minutes (os); a killed process loses nothing in any of them',
          ),
        maxAgeDays: positive.max(3_650).default(365),
        maxBytes: count.default(20 * 1024 ** 3).describe('when full, requests are refused: the log never forgets to make room'),
        duplicateWindowSeconds: count.max(86_400).default(300).describe('for so long a request id makes a retry safe'),
        replicas: z.int().min(1).max(5).default(1),
        appendTimeoutMs: milliseconds.default(5_000),
      })
      .prefault({}),
    requests: z
      .strictObject({
        concurrency: count
          .max(65_536)
          .default(512)
          .describe('requests under way in one process, HTTP and NATS together; more are refused as overloaded'),
        queueBytes: count.default(256 * 1024 ** 2),
        queueAgeSeconds: count.default(600),
        ackWaitSeconds: z.int().min(1).max(600).default(15),
        maxDeliveries: z.int().min(1).max(100).default(5),
        deadlineMs: milliseconds.default(120_000).describe('for the whole request; afterwards it is closed as failed'),
        firstTokenMs: milliseconds.default(30_000),
        idleMs: milliseconds.default(30_000),
        answerBytes: count.max(64 * 1024 ** 2).default(4_194_304),
        promptCharacters: count.max(64 * 1024 ** 2).default(500_000),
        messages: count.max(100_000).default(1_000),
        jsonDepth: z.int().min(4).max(1_000).default(32),
        answersKeptSeconds: count.max(86_400).default(600),
        answersKeptBytes: count.default(256 * 1024 ** 2),
      })
      .prefault({}),
    cache: z
      .strictObject({ enabled: z.boolean().default(true), bytes: count.default(64 * 1024 ** 2), ttlMs: milliseconds.default(300_000) })
      .prefault({}),
    clickhouse: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe('a server or cluster; without it the projector embeds the engine'),
        user: z.string().optional(),
        database: z
          .string()
          .regex(/^[a-z_][a-z0-9_]*$/)
          .default('switchyard'),
        host: z.string().default('127.0.0.1'),
        port: port.default(8123).describe('where the embedded engine serves the ClickHouse HTTP interface, read only'),
        queryTimeoutMs: milliseconds.default(30_000),
        queryMemoryBytes: count.default(2 * 1024 ** 3),
        resultBytes: count.default(256 * 1024 ** 2),
        concurrentQueries: count.max(64).default(4),
      })
      .prefault({}),
    projector: z.strictObject({ batchRows: count.max(1_000_000).default(20_000), batchWaitMs: milliseconds.default(200) }).prefault({}),
    ledger: z
      .strictObject({
        requests: count
          .max(10_000_000)
          .default(100_000)
          .describe('requests that a router remembers, for feedback and for closing what was left open'),
      })
      .prefault({}),
    models: z.array(modelSchema).min(1).max(256),
    arms: z.array(armSchema).min(1).max(256),
    tenants: z
      .array(tenantConfigSchema)
      .min(1)
      .max(10_000)
      .default([{ id: tenantSchema.parse('default') }]),
    policy: policySchema.prefault({}),
    reward: rewardSchema.prefault({}),
  })
  .superRefine((config, context) => {
    const refuse = (path: (string | number)[], message: string, input: unknown) => {
      context.addIssue({ code: 'custom', path, message, input });
    };
    const models = new Set<string>();
    config.models.forEach((model, i) => {
      if (models.has(model.id)) refuse(['models', i, 'id'], 'expected each model id once', model.id);
      if (model.id === 'auto') refuse(['models', i, 'id'], 'expected another name: "auto" stands for the choice of the router', model.id);
      models.add(model.id);
    });
    const arms = new Set<string>();
    config.arms.forEach((arm, i) => {
      if (arms.has(arm.id)) refuse(['arms', i, 'id'], 'expected each arm id once', arm.id);
      if (arm.id === 'auto') refuse(['arms', i, 'id'], 'expected another name: "auto" stands for the choice of the router', arm.id);
      if (!models.has(arm.model)) refuse(['arms', i, 'model'], `expected one of the models ${[...models].join(', ')}`, arm.model);
      arms.add(arm.id);
    });
    if (!config.arms.some((arm) => arm.enabled)) refuse(['arms'], 'expected at least one enabled arm', config.arms.length);
    const tenants = new Set<string>();
    config.tenants.forEach((tenant, i) => {
      if (tenants.has(tenant.id)) refuse(['tenants', i, 'id'], 'expected each tenant id once', tenant.id);
      tenants.add(tenant.id);
    });
    if (config.policy.floor * config.arms.length >= 1)
      refuse(
        ['policy', 'floor'],
        `expected less than 1 / ${config.arms.length}, one share for each of the ${config.arms.length} arms`,
        config.policy.floor,
      );
    const redeliverySeconds = config.requests.ackWaitSeconds * config.requests.maxDeliveries;
    if (redeliverySeconds > config.log.duplicateWindowSeconds)
      refuse(
        ['requests', 'ackWaitSeconds'],
        `expected ackWaitSeconds x maxDeliveries (${redeliverySeconds} s) within log.duplicateWindowSeconds (${config.log.duplicateWindowSeconds} s), so that a redelivery meets its first attempt`,
        config.requests.ackWaitSeconds,
      );
  });

export type Config = z.infer<typeof configSchema>;
export type ModelConfig = Config['models'][number];
export type ArmConfig = Config['arms'][number];
export type ProviderConfig = z.infer<typeof providerConfigSchema>;
export type RewardConfig = Config['reward'];
