import { z } from 'zod';
import { probabilitySchema, tenantSchema } from '../../events/identifiers.ts';
import { rewardWeightsSchema } from '../../events/schemas/policy.ts';
import { featuresSchema, routeDecided } from '../../events/schemas/route.ts';
import { contradicts, type LoggedDecision } from '../logged/logged-decision.ts';
import { seenIn } from './seen.ts';

/**
 * Our own file of logged decisions, JSON lines: a header, a `LoggedDecision` on each line, and a last line that says how many there were, so that a file that was cut anywhere is refused. Described
 * for other programs in docs/interchange.md.
 */
export const logFormat = { name: 'switchyard-decisions', version: 1 } as const;

/** A file beyond these is refused before it is held: memory is bounded by a line, time by the whole. */
export const logBounds = { lineBytes: 4 * 1024 ** 2, fileBytes: 256 * 1024 ** 3 } as const;

/** Of money, time, tokens, prices: beyond it sums of squares would overflow. */
const mostAmount = 1e12;

/** Milliseconds since 1970, to the end of the year 9999: the last moment with a year of four digits. */
export const lastMomentMs = Date.UTC(10_000, 0) - 1;

const place = z.string().max(64).nullable();

/** Names of other systems' actions may hold anything. */
const text = z.string().min(1, 'expected text').max(1_024, 'expected at most 1024 characters');
const mostArms = 65_536;
const price = z.number().min(0).max(mostAmount, `expected at most ${mostAmount}`);

/** What a policy of the yard needs to know of an arm, as in `policy.activated`: whether it may be drawn, how much fits into it, what it costs and what it cannot do. */
const armSchema = z.object({
  arm: text,
  model: text,
  enabled: z.boolean(),
  contextTokens: z.int().positive(),
  price: z.object({ inputUsdPerMillionTokens: price, outputUsdPerMillionTokens: price }).nullable(),
  lacks: z.array(z.enum(['tools', 'json', 'images'])).max(3),
});

export const headerSchema = z.object(
  {
    format: z.literal(logFormat.name, `expected "${logFormat.name}"`),
    version: z.literal(logFormat.version, `expected version ${logFormat.version}`),
    /** Where the records come from, for people. */
    source: z.string().max(1_024),
    /** As it was asked for: a time, or a place in the log. Null: without this end. */
    period: z.object({ from: place, to: place }),
    /** Null: of all tenants. */
    tenant: z.string().max(128).nullable(),
    /** Weights of the reward where the file was made; each outcome has those that were in force for it. Null: not known. */
    weights: rewardWeightsSchema.nullable(),
    /** What no weight of a candidate can exceed, known before any record was: 1 / floor of the policies that decided. Null or left out: not known. */
    largestWeight: z.number().min(1, 'expected a number from 1').max(mostAmount).nullable().optional(),
    /** Those of the policy in force at the end of the period, also the ones that it gave no record to: a candidate may. Null or left out: those that the records name. */
    arms: z
      .array(armSchema)
      .max(mostArms)
      .superRefine((arms, context) => {
        const before = new Set<string>();
        const twice = arms.find(({ arm }) => before.size === before.add(arm).size);
        if (twice !== undefined) context.addIssue(`expected each arm once, got ${JSON.stringify(twice.arm)} twice`);
      })
      .nullable()
      .optional(),
  },
  `expected the header, such as {"format":"${logFormat.name}","version":${logFormat.version},...}`,
);
export type LogHeader = Readonly<z.infer<typeof headerSchema>>;
/** What whoever writes a file has to say of it. */
export type LogOrigin = Omit<LogHeader, 'format' | 'version'>;

const many = z.int().min(0);
export const endSchema = z.object({
  end: z.object({
    records: many,
    /** Rows of the log that the file was made of: what could not be read and is not here, and what was the same as an earlier row in all that it says. Left out: none. */
    skipped: many.optional(),
    copies: many.optional(),
  }),
});
export type LogEnd = Readonly<z.infer<typeof endSchema>>['end'];

/** Beyond it weights are larger than any that sums of squares hold. What has such a chance does not happen. */
export const leastPropensity = 1 / mostAmount;
const chance = z
  .number('expected a number above 0 and at most 1')
  .gt(0, 'expected a number above 0')
  .min(leastPropensity, `expected at least ${leastPropensity}`)
  .max(1, 'expected at most 1');
const amount = z
  .number('expected a number from 0, or null')
  .min(0, 'expected a number from 0')
  .max(mostAmount, `expected at most ${mostAmount}`)
  .nullable();
const target = z.number().positive().max(mostAmount, `expected at most ${mostAmount}`).nullable();
const count = z.int().min(0).max(mostAmount, `expected at most ${mostAmount}`);
const moment = z
  .number('expected milliseconds since 1970')
  .min(0, 'expected milliseconds since 1970')
  .max(lastMomentMs, 'expected milliseconds since 1970, to the year 9999');

const { needs, conversation, maxOutputTokens, draw } = routeDecided.data.shape;

const requestSchema = z.object({
  kind: z.literal('request'),
  input: z.object({
    tenant: tenantSchema,
    requestedModel: z.string().max(128),
    features: featuresSchema,
    maxOutputTokens,
    needs,
    weights: rewardWeightsSchema,
    budget: z.object({ usdPerRequest: target, latencyTargetMs: target }),
    conversation,
    decidedAtMs: moment.nullable(),
  }),
  draw,
  stateSequence: z.int().min(0),
  moment: z.object({ brokenArms: z.array(text).max(mostArms), rewardPerUsd: price, rewardPerSecond: price }),
});

const slotSchema = z.object({ kind: z.literal('slot'), slot: z.int().min(0).max(1_000_000) });

const part = probabilitySchema.nullable();
const partsSchema = z.object({ success: part, streaming: part, cache: part, cost: part });

const tokensSchema = z.object({ prompt: count, completion: count }).nullable();

export const recordSchema: z.ZodType<LoggedDecision> = z
  .object(
    {
      id: text,
      atMs: moment,
      tenant: z.string().max(128),
      cluster: text,
      policy: z.string().max(1_024),
      arm: text,
      propensity: chance,
      candidates: z.object({ arms: z.array(text).min(1).max(mostArms), propensities: z.array(probabilitySchema).max(mostArms) }).nullable(),
      cells: z.array(z.string().max(256)).max(64),
      context: z.discriminatedUnion('kind', [requestSchema, slotSchema], 'expected a context of kind "request" or "slot"'),
      outcome: z
        .object({
          parts: partsSchema,
          weights: rewardWeightsSchema,
          failed: z.boolean().nullable(),
          costUsd: amount,
          latencyMs: amount,
          tokens: tokensSchema,
        })
        .nullable(),
    },
    'expected a logged decision',
  )
  .superRefine(({ arm, propensity, candidates }, context) => {
    const fault = candidates === null ? null : candidatesFault(arm, propensity, candidates);
    if (fault !== null) context.addIssue({ code: 'custom', path: ['candidates'], message: fault.expected, params: { seen: fault.seen } });
  });

/** How far a sum of probabilities may be from 1: they were written with fewer digits elsewhere. */
const tolerance = 1e-6;

const candidatesFault = (
  arm: string,
  propensity: number,
  { arms, propensities }: NonNullable<LoggedDecision['candidates']>,
): { readonly expected: string; readonly seen: string } | null => {
  if (arms.length !== propensities.length)
    return { expected: 'expected a propensity for each arm', seen: `${propensities.length} for ${arms.length}` };
  if (new Set(arms).size !== arms.length) return { expected: 'expected each arm once', seen: 'one of them twice' };
  const sum = propensities.reduce((total, propensity) => total + propensity, 0);
  if (Math.abs(sum - 1) > tolerance) return { expected: 'expected propensities that sum to 1', seen: String(sum) };
  const listed = propensities[arms.indexOf(arm)] ?? 0;
  if (!(listed > 0)) return { expected: `expected the chosen arm ${seenIn(arm)} among them, with a propensity above 0`, seen: 'none' };
  return contradicts(propensity, listed)
    ? {
        expected: `expected ${propensity} as the propensity of the chosen arm ${seenIn(arm)}, as the record says itself`,
        seen: String(listed),
      }
    : null;
};
