import type { DataOf } from '../../events/index.ts';

/** What one reward adds to what is known. */
export type RewardEvidence = DataOf<'reward.recorded'>['evidence'];

/** In this order in sums. Parts and their squares in millionths, money in 1e-9 dollars, its square in (1e-5 dollars)^2, rounded up. */
export const evidenceFields = [
  'trials',
  'measured',
  'failures',
  'success',
  'streaming',
  'cache',
  'cost',
  'successSquare',
  'streamingSquare',
  'cacheSquare',
  'costSquare',
  'costNanoUsd',
  'spendSquare',
  'latencyMs',
  'promptTokens',
  'completionTokens',
] as const satisfies readonly (keyof RewardEvidence)[];
export type EvidenceField = (typeof evidenceFields)[number];

/** One number for each of `evidenceFields`. */
export type Sums = Float64Array;
export const fieldCount = evidenceFields.length;
export const noSums = (): Sums => new Float64Array(fieldCount);

export const fieldIndex = Object.fromEntries(evidenceFields.map((field, index) => [field, index])) as Readonly<
  Record<EvidenceField, number>
>;

/** Of the fields, the first that policies learn from: trials, parts and their squares. What a memory gives holds these alone. */
export const learnedFields = fieldIndex.costSquare + 1;

/** Written into `sums`, all of it. */
export const sumsOf = (evidence: RewardEvidence, sums: Sums = noSums()): Sums => {
  let i = 0;
  for (const field of evidenceFields) sums[i++] = evidence[field];
  return sums;
};

/** Adds `delta` to the sums that begin at `at`. */
export const addInto = (sums: Float64Array, delta: Sums, at = 0): void => {
  for (let i = 0; i < fieldCount; i++) sums[at + i] = (sums[at + i] ?? 0) + (delta[i] ?? 0);
};
