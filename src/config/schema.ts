import { z } from 'zod';
import { nameSchema, tenantSchema } from '../events/index.ts';
import { defaultedRewardWeightsSchema, policySpecSchema, rewardWeightsSchema } from '../events/schemas/policy.ts';
import { addressWithoutCredentials, count, milliseconds, port, positive, share } from './bounds.ts';
import { providerConfigSchema } from './provider-schema.ts';
import { checkRules } from './rules.ts';

/**
 * The shape of switchyard.yaml. Every limit of the yard is here, with its default; units stand last in the names.
 * Objects are strict: a misspelt key is an error that names its path. Each description is a line of docs/configuration.md.
 */
const httpSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('address that the HTTP gateway listens on'),
  port: port.default(8080).describe('port of the HTTP gateway; 0 takes a free one'),
  bodyLimitBytes: count
    .max(64 * 1024 * 1024)
    .default(1_048_576)
    .describe('largest body of a request, over HTTP and over NATS'),
  connections: count.max(65_536).default(4_096).describe('connections open at the same time; more are refused'),
});

const natsSchema = z.strictObject({
  url: addressWithoutCredentials(['nats', 'tls', 'ws', 'wss'], 'nats://127.0.0.1:4222')
    .optional()
    .describe('an existing server with JetStream; without it `up` starts its own'),
  host: z.string().min(1).default('127.0.0.1').describe("address that the yard's own server listens on"),
  port: port.default(4222).describe("port of the yard's own server"),
  pingIntervalMs: milliseconds.default(5_000).describe('a server that has not answered two of these is given up and connected anew'),
  user: z.string().min(1).max(256).optional().describe('user at the server; its password is NATS_PASSWORD'),
});

const logSchema = z.strictObject({
  durability: z
    .enum(['always', 'second', 'os'])
    .default('os')
    .describe(
      'what a power cut may take: nothing (always: each message is synced), the last second (second), the last two minutes (os); a killed process loses nothing in any of them',
    ),
  maxAgeDays: positive.max(3_650).default(365).describe('events older than this leave the log'),
  maxBytes: count.default(20 * 1024 ** 3).describe('when full, requests are refused: the log never forgets to make room'),
  duplicateWindowSeconds: count.max(86_400).default(300).describe('for so long a request id makes a retry safe'),
  replicas: z.int().min(1).max(5).default(1).describe('copies of each stream, in a cluster of servers'),
  appendTimeoutMs: milliseconds.default(5_000).describe('an append that is not acknowledged by then is tried again'),
});

const requestsSchema = z.strictObject({
  concurrency: count
    .max(65_536)
    .default(512)
    .describe('requests under way in one process, HTTP and NATS together; more are refused as overloaded'),
  queueBytes: count.default(256 * 1024 ** 2).describe('size of the queue of requests taken over NATS; when full, requests are refused'),
  queueAgeSeconds: count.default(600).describe('a request that waited so long is no longer answered'),
  ackWaitSeconds: z
    .int()
    .min(1)
    .max(600)
    .default(15)
    .describe('a queued request whose worker has been silent for so long is given to another one'),
  maxDeliveries: z.int().min(1).max(100).default(5).describe('deliveries of a queued request; afterwards it is a dead letter'),
  deadlineMs: milliseconds.default(120_000).describe('for the whole request; afterwards it is closed as failed'),
  firstTokenMs: milliseconds.default(30_000).describe('longest wait for the first text of a provider'),
  idleMs: milliseconds.default(30_000).describe('longest pause between two parts of an answer'),
  answerBytes: count
    .max(64 * 1024 ** 2)
    .default(4_194_304)
    .describe('largest answer; a longer one is stopped and recorded as failed'),
  promptCharacters: count
    .max(64 * 1024 ** 2)
    .default(500_000)
    .describe('characters in all messages of a request'),
  messages: count.max(100_000).default(1_000).describe('messages in a request'),
  jsonDepth: z.int().min(4).max(1_000).default(32).describe('levels of nesting in the body of a request'),
  answersKeptSeconds: count.max(86_400).default(600).describe('a retry with the same request id is given its answer again for so long'),
  answersKeptBytes: count.default(256 * 1024 ** 2).describe('room for those answers; the oldest go first'),
});

const cacheSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('whether answers are kept and given again'),
  bytes: count.default(64 * 1024 ** 2).describe('room for answers in one process; those used least recently go first'),
  ttlMs: milliseconds.default(300_000).describe('time to live of a stored answer'),
});

const clickhouseSchema = z.strictObject({
  url: addressWithoutCredentials(['http', 'https'], 'http://127.0.0.1:8123')
    .optional()
    .describe('a server or cluster; without it the projector embeds the engine'),
  user: z.string().min(1).max(256).optional().describe('user at the server; its password is CLICKHOUSE_PASSWORD'),
  database: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'expected 1 to 63 characters of a-z, 0-9 and "_", not beginning with a digit')
    .default('switchyard')
    .describe('where the tables and views are'),
  host: z.string().min(1).default('127.0.0.1').describe('address on which the embedded engine serves the ClickHouse HTTP interface'),
  port: port.default(8123).describe('where the embedded engine serves the ClickHouse HTTP interface, read only'),
  queryTimeoutMs: milliseconds.default(30_000).describe('longest run of a query'),
  queryMemoryBytes: count.default(2 * 1024 ** 3).describe('memory that one query may take'),
  resultBytes: count.default(256 * 1024 ** 2).describe('largest result of a query'),
  concurrentQueries: count.max(64).default(4).describe('queries that run at the same time; more are refused'),
});

const projectorSchema = z.strictObject({
  batchRows: count.max(1_000_000).default(20_000).describe('rows in one insert, at most'),
  batchBytes: count
    .max(256 * 1024 ** 2)
    .default(32 * 1024 ** 2)
    .describe('bytes in one insert, at most; two such batches are in memory'),
  batchWaitMs: milliseconds.default(200).describe('an insert waits so long for more rows'),
});

const ledgerSchema = z.strictObject({
  requests: count
    .max(10_000_000)
    .default(100_000)
    .describe('requests that a router remembers, for feedback and for closing what was left open'),
  rebuildEntries: count
    .max(10_000_000)
    .default(20_000)
    .describe('messages at the end of the log from which those requests are gathered at start'),
});

const feedbackSchema = z.strictObject({
  requestWaitSeconds: count
    .max(86_400)
    .default(900)
    .describe('feedback that comes before its request is kept for so long; afterwards it is a dead letter'),
  maxAgeDays: positive.max(3_650).default(90).describe('feedback that comes later than this after the decision is a dead letter'),
  waiting: count
    .max(10_000_000)
    .default(100_000)
    .describe('feedback that waits in a router at the same time; of more, the oldest becomes dead letters'),
  memoryWaitSeconds: count
    .max(604_800)
    .default(86_400)
    .describe(
      'feedback for a request that the router has forgotten waits so long for ClickHouse to tell of it; afterwards it is a dead letter',
    ),
});

export const priceSchema = z.strictObject({
  inputUsdPerMillionTokens: z.number().min(0).max(10_000).describe('dollars per million tokens of the prompt'),
  outputUsdPerMillionTokens: z.number().min(0).max(10_000).describe('dollars per million tokens of the answer'),
});

const modelSchema = z.strictObject({
  id: nameSchema.describe('name of the model in requests and events; "auto" is taken'),
  provider: providerConfigSchema.describe('who answers'),
  price: priceSchema,
  lacks: z
    .array(z.enum(['tools', 'json', 'images']))
    .max(3)
    .default([])
    .describe('what the model cannot do; a request that needs it is not routed here'),
  contextTokens: count.max(100_000_000).describe('prompt and answer together; a request that does not fit is not routed here'),
});

const armSchema = z.strictObject({
  id: nameSchema.describe('name of the arm: what the router chooses among'),
  model: nameSchema.describe('one of the models'),
  strategy: z.enum(['plain']).default('plain').describe('how the model is asked; plain: the messages as they came'),
  enabled: z.boolean().default(true).describe('false keeps what was learned of the arm and chooses it no more'),
});

const budgetSchema = z.strictObject({
  usdPerRequest: z
    .number()
    .min(1e-9)
    .max(1_000)
    .nullable()
    .default(null)
    .describe('mean cost of a request that the router keeps to, in dollars; null: no budget'),
  latencyTargetMs: z
    .number()
    .min(1)
    .max(3_600_000)
    .nullable()
    .default(null)
    .describe('mean time to the end of an answer that the router keeps to; null: no objective'),
});

const tenantConfigSchema = z.strictObject({
  // Names that begin with "_" are the yard's own: see tenantSchema.
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected 1 to 63 characters of a-z, 0-9, "-" and "_", and a name that does not begin with "_"')
    .brand<'Tenant'>()
    .describe('name of the tenant in subjects and events'),
  weights: rewardWeightsSchema.optional().describe('what a request of this tenant is worth; without it reward.weights counts'),
  budget: budgetSchema.optional().describe('budget and latency objective of this tenant; without it the common ones count'),
  shadow: z
    .strictObject({ share: share.describe('share of the requests of this tenant that are also sent to a second arm') })
    .optional()
    .describe('without it shadow.share counts'),
});

const rewardSchema = z.strictObject({
  weights: defaultedRewardWeightsSchema,
  firstTokenTargetMs: positive.default(1_000).describe('streaming part: 1 at once, 0.5 at this time to the first token'),
  stallTargetMs: positive.default(2_000).describe('streaming part: 1 without a pause, 0.5 at a longest pause of this length'),
  costTargetUsd: positive.default(0.002).describe('cost part: 1 for free, 0.5 at this price of a request'),
});

const shadowSchema = z.strictObject({
  share: share
    .default(0.3)
    .describe('share of the requests that are also sent to a second arm, whose answer is compared and given to nobody; 0: none'),
  budgetUsdPerHour: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(2)
    .describe('what these second answers may cost in an hour, all processes together; granted in blocks, before it is spent'),
  perSecond: positive.max(100_000).default(10).describe('second answers that one process begins in a second, on average'),
  concurrency: count.max(4_096).default(8).describe('second answers under way in one process'),
  answerTokens: count
    .max(1_000_000)
    .default(2_048)
    .describe('length of an answer that is set aside for, where the caller gave no limit; a longer one is broken off'),
});

export const configSchema = z
  .strictObject({
    dataDir: z
      .string()
      .min(1)
      .default('.switchyard')
      .describe('where nats-server, ClickHouse and run files live; a relative path begins at the folder of this file'),
    logLevel: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('least level of what the processes log'),
    http: httpSchema.prefault({}),
    nats: natsSchema.prefault({}),
    log: logSchema.prefault({}),
    requests: requestsSchema.prefault({}),
    cache: cacheSchema.prefault({}),
    clickhouse: clickhouseSchema.prefault({}),
    projector: projectorSchema.prefault({}),
    ledger: ledgerSchema.prefault({}),
    feedback: feedbackSchema.prefault({}),
    models: z.array(modelSchema).min(1).max(256),
    arms: z.array(armSchema).min(1).max(256),
    tenants: z
      .array(tenantConfigSchema)
      .min(1)
      .max(10_000)
      .default([{ id: tenantSchema.parse('default') }]),
    policy: policySpecSchema.default(policySpecSchema.parse({ kind: 'contextual-thompson' })).describe('how the router chooses'),
    budget: budgetSchema.prefault({}),
    reward: rewardSchema.prefault({}),
    shadow: shadowSchema.prefault({}),
  })
  .superRefine(checkRules, { when: () => true });

/** What the file may hold: everything with a default left out. */
export type ConfigInput = z.input<typeof configSchema>;
export type Config = z.infer<typeof configSchema>;
export type ModelConfig = Config['models'][number];
export type RewardConfig = Config['reward'];
