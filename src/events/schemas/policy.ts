import { z } from 'zod';
import { defineEvent } from '../envelope.ts';
import { nameSchema, probabilitySchema, sequenceSchema } from '../identifiers.ts';

type RewardWeights = { readonly success: number; readonly streaming: number; readonly cache: number; readonly cost: number };

/** What was wrong is told with the sum that was seen. */
const sumToOne = ({ success, streaming, cache, cost }: RewardWeights, context: Pick<z.core.$RefinementCtx, 'addIssue'>): void => {
  const sum = success + streaming + cache + cost;
  if (Math.abs(sum - 1) < 1e-9) return;
  context.addIssue({ code: 'custom', message: 'expected the four weights to sum to 1', params: { seen: Number(sum.toPrecision(12)) } });
};

const weights = {
  success: probabilitySchema.describe('weight of the answer having been good'),
  streaming: probabilitySchema.describe('weight of a quick first token and no stalls'),
  cache: probabilitySchema.describe('weight of the answer having entered the cache, to be given again'),
  cost: probabilitySchema.describe('weight of the answer having been cheap'),
};

/** The same shape wherever the four parts of the reward are weighed. They sum to 1. */
export const rewardWeightsSchema = z.strictObject(weights).superRefine(sumToOne);

/** The same with the weights that hold when nobody says otherwise: for configuration, where any of them may be left out. */
export const defaultedRewardWeightsSchema = z
  .strictObject({
    success: weights.success.default(0.4),
    streaming: weights.streaming.default(0.2),
    cache: weights.cache.default(0.2),
    cost: weights.cost.default(0.2),
  })
  .superRefine(sumToOne)
  .prefault({});

const pseudoCount = z.number().min(1e-3).max(1e6);
const priorSchema = z
  .strictObject({
    alpha: pseudoCount.default(1).describe('successes that an arm is taken to have before it has been tried'),
    beta: pseudoCount.default(1).describe('failures that an arm is taken to have before it has been tried'),
  })
  .prefault({});

const memorySchema = z
  .strictObject({
    halfLifeSeconds: z
      .number()
      .min(60)
      .max(10 * 365 * 86_400)
      .nullable()
      .default(14 * 86_400)
      .describe('evidence counts half after this much event time; null: for ever'),
    falseAlarm: z
      .number()
      .gt(0)
      .max(0.5)
      .nullable()
      .default(0.01)
      .describe(
        'change detection: probability that an arm whose reward did not jump is taken for one that did, at a look; its older evidence is then forgotten; null: off',
      ),
  })
  .prefault({});

export const mostArms = 256;
export const mostWarmStartCells = 4_096;

/** Offline knowledge, as pseudo-evidence: means and how many requests each stands for. */
const warmStartSchema = z
  .strictObject({
    maxTrials: z.number().gt(0).max(1e6).default(50).describe('what was known before counts as this many requests in each cell, at most'),
    cells: z
      .array(
        z.strictObject({
          arm: nameSchema.describe('the arm'),
          cell: z.string().min(1).max(64).describe('the kind of request: "all", or a cell of the features'),
          trials: z.number().gt(0).max(1e12).describe('requests that the mean was taken over'),
          reward: probabilitySchema.describe('their mean reward'),
        }),
      )
      .max(mostWarmStartCells),
  })
  .optional();

const common = {
  id: nameSchema.default('thompson').describe('name of the policy in decisions'),
  floor: z.number().min(0).max(0.5).default(0.01).describe('least probability of each candidate arm'),
  switchingCost: probabilitySchema
    .default(0)
    .describe('reward that another arm must promise in excess, within a conversation, for the conversation to change to it'),
  trial: z
    .strictObject({
      requests: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(5)
        .describe('requests that a new arm is tried with; no more are under way until these have ended'),
      share: probabilitySchema.default(0.05).describe('least probability of an arm on trial'),
    })
    .prefault({}),
};

/** How the router chooses: what configuration, policy files and events hold. */
export const policySpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('static').describe('fixed shares, whatever happens'),
    ...common,
    shares: z
      .record(nameSchema, probabilitySchema)
      .describe(
        'share of each arm; they sum to 1, to the millionth. Shares of arms that cannot take a request fall to the others in proportion; arms that are not named get none, and are not tried out: when all that are named are out, the request is refused',
      ),
  }),
  z.strictObject({
    kind: z.literal('epsilon-greedy').describe('the best arm so far, and any arm with probability epsilon'),
    ...common,
    epsilon: probabilitySchema.default(0.1).describe('probability of an arm drawn uniformly'),
    prior: priorSchema,
    memory: memorySchema,
  }),
  z.strictObject({
    kind: z.literal('complexity').describe('simple questions to a fast model, complex ones to a strong one'),
    ...common,
    simple: nameSchema.describe('arm for simple questions'),
    complex: nameSchema.describe('arm for complex questions'),
    threshold: probabilitySchema.default(0.25).describe('complexity from which a question is complex'),
  }),
  z.strictObject({
    kind: z.literal('beta-bernoulli-thompson').describe('Thompson sampling, the same for all requests'),
    ...common,
    prior: priorSchema,
    memory: memorySchema,
    warmStart: warmStartSchema,
  }),
  z.strictObject({
    kind: z.literal('contextual-thompson').describe('Thompson sampling that tells kinds of request apart'),
    ...common,
    prior: priorSchema,
    memory: memorySchema,
    warmStart: warmStartSchema,
    cellDeviation: z
      .number()
      .gt(0)
      .max(1)
      .default(0.04)
      .describe('how far the reward of an arm in a finer kind of request lies from that in the coarser, as a standard deviation'),
  }),
]);
export type PolicySpec = z.infer<typeof policySpecSchema>;
export type PolicySpecInput = z.input<typeof policySpecSchema>;

const armSchema = z.object({
  arm: nameSchema.describe('name of the arm'),
  model: nameSchema.describe('its model'),
  enabled: z.boolean().describe('whether it may be drawn'),
  contextTokens: z.int().positive().describe('prompt and answer together, at most'),
  price: z
    .object({ inputUsdPerMillionTokens: z.number().min(0), outputUsdPerMillionTokens: z.number().min(0) })
    .nullable()
    .describe('list price; null when it is only known what answers did cost'),
  lacks: z
    .array(z.enum(['tools', 'json', 'images']))
    .max(3)
    .describe('what the model cannot do'),
});

const identity = z.object({
  id: nameSchema.describe('name of the policy'),
  version: z.string().max(64).describe('fingerprint of the policy and the arms'),
});

/** All that decides: equal contents have equal versions. */
export const policyContent = {
  policy: identity,
  spec: policySpecSchema.describe('how the arms are weighed'),
  weights: rewardWeightsSchema.describe('of the parts of the reward, for tenants without weights of their own'),
  arms: z.array(armSchema).min(1).max(mostArms),
};

export const policyActivated = defineEvent({
  type: 'policy.activated',
  version: 2,
  summary:
    'A policy took effect for all requests but those of a canary. Decisions name its version, this event says what that version was.',
  data: z.object({
    ...policyContent,
    origin: z
      .enum(['configuration', 'command', 'promotion'])
      .describe('configuration: the file at the start of a process; command: by hand while running; promotion: it was the canary'),
    change: z.int().min(0).describe('number of the change of policy, counted from 1; 0 for those recorded before changes were numbered'),
  }),
});

/** When a canary is taken back by itself. */
const canaryGuardSchema = z.object({
  confidence: z.number().min(0.5).lt(1).describe('with which the canary must be worse before it is taken back'),
  minRequests: z.int().min(10).describe('of each side, before the canary is judged'),
  rewardMargin: probabilitySchema.describe('worse by less than this is no reason'),
  errorMargin: probabilitySchema.describe('of the rate of failures'),
  costMargin: z.number().min(0).max(100).describe('of the cost, as a fraction of the cost of the policy in force'),
});

export const canaryStarted = defineEvent({
  type: 'policy.canary_started',
  version: 1,
  summary: 'A second policy decides a share of the requests, beside the one in force.',
  data: z.object({
    ...policyContent,
    change: z.int().min(1).describe('number of the change of policy'),
    share: probabilitySchema.describe('of the requests, by conversation or else by request'),
    guard: canaryGuardSchema,
  }),
});

export const canaryEnded = defineEvent({
  type: 'policy.canary_ended',
  version: 1,
  summary: 'The canary decides no more: it was promoted, taken back by its guard, or taken back by hand.',
  data: z.object({
    policy: identity,
    change: z.int().min(1).describe('number of the change of policy'),
    outcome: z.enum(['promoted', 'rolled-back', 'withdrawn']).describe('rolled-back: by the guard; withdrawn: by hand'),
    reason: z.string().max(500).describe('in words, with the figures'),
    evidence: z
      .object({
        quantity: z
          .enum(['reward', 'errors', 'cost'])
          .describe('in which it was worse; the means are a reward of 0 to 1, a share of failures, or 1e-9 dollars'),
        stable: z.object({ requests: z.int().min(0), mean: z.number() }).describe('of the policy in force, in the same time'),
        canary: z.object({ requests: z.int().min(0), mean: z.number() }),
        difference: z.number().describe('canary less policy in force'),
        low: z.number().describe('of the confidence sequence of the difference'),
        high: z.number(),
        confidence: z.number(),
      })
      .nullable()
      .describe('null when it was not the guard'),
    stateSequence: sequenceSchema.describe('the figures are the fold of the log up to here'),
  }),
});

/** What a whole budget, or a whole target of time, may be worth at most, in rewards of 0 to 1. The pacer itself ends at 1. */
const mostWorth = 10;

/** A price from nowhere would shut out all arms but the cheapest. */
const pricesInBounds = (
  pace: Readonly<Record<'rewardPerUsd' | 'rewardPerSecond', number> & Record<'usdPerRequest' | 'latencyTargetMs', number | null>>,
  context: Pick<z.core.$RefinementCtx, 'addIssue'>,
): void => {
  for (const [price, bound, worth] of [
    ['rewardPerUsd', 'usdPerRequest', pace.rewardPerUsd * (pace.usdPerRequest ?? Infinity)],
    ['rewardPerSecond', 'latencyTargetMs', (pace.rewardPerSecond * (pace.latencyTargetMs ?? Infinity)) / 1_000],
  ] as const)
    if (pace[price] > 0 && worth > mostWorth)
      context.addIssue({
        code: 'custom',
        path: [price],
        message: `expected 0 without a ${bound}, else at most a reward of ${mostWorth} for all of it`,
        params: { seen: pace[price] },
      });
};

export const budgetPaced = defineEvent({
  type: 'budget.paced',
  version: 1,
  summary: 'The price of money and of time for a tenant was set anew, from what its requests did cost and take since the last time.',
  data: z
    .object({
      step: z.int().min(1).describe('counted from 1 for each tenant; of two with the same number the first in the log stands'),
      usdPerRequest: z.number().positive().nullable().describe('the budget; null: none'),
      latencyTargetMs: z.number().positive().nullable().describe('the objective for the mean latency; null: none'),
      rewardPerUsd: z
        .number()
        .min(0)
        .describe(`dual variable of the budget: reward that a dollar must bring; times usdPerRequest at most ${mostWorth}`),
      rewardPerSecond: z
        .number()
        .min(0)
        .describe(
          `dual variable of the latency objective: reward that a second of waiting must bring; times the objective at most ${mostWorth}`,
        ),
      totals: z
        .object({ requests: z.int().min(0), costNanoUsd: z.int().min(0), latencyMs: z.int().min(0) })
        .describe('of all routed requests of the tenant in the log up to the state that this was made from'),
      creditNanoUsd: z.int().describe('unspent (or overspent, negative) money that is still taken into account'),
      stateSequence: sequenceSchema.describe('made from the fold of the log up to here'),
    })
    .superRefine(pricesInBounds),
});
