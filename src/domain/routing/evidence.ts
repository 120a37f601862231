/**
 * What is known of the arms: whole numbers, summed. Trials count rewards, the parts are sums in millionths. A sum of integers does not depend on the
 * order of its terms, so the live fold, a fold of the log and a sum in SQL are equal to the last digit (up to 9e9 rewards, 2^53 millionths).
 */
export type ArmEvidence = {
  readonly trials: number;
  readonly success: number;
  readonly streaming: number;
  readonly cache: number;
  readonly cost: number;
};

export type Evidence = ReadonlyMap<string, ArmEvidence>;

/** Evidence and the log sequence whose prefix it is the fold of. */
export type EvidenceAt = { readonly sequence: number; readonly evidence: Evidence };

export const noEvidence: ArmEvidence = { trials: 0, success: 0, streaming: 0, cache: 0, cost: 0 };

export const addEvidence = (a: ArmEvidence, b: ArmEvidence): ArmEvidence => ({
  trials: a.trials + b.trials,
  success: a.success + b.success,
  streaming: a.streaming + b.streaming,
  cache: a.cache + b.cache,
  cost: a.cost + b.cost,
});
