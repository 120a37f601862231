import type { LoggedDecision } from '../logged/logged-decision.ts';
import { openUnduplicated } from '../unduplicated.ts';
import { rewardOf } from '../logged/reward-of.ts';

/** What went through, for whoever made a file of it to look at. */
export type LogSummary = {
  readonly records: number;
  /** Of which nothing came, yet or ever. */
  readonly withoutOutcome: number;
  /** Second records of the same decision. */
  readonly duplicates: number;
  /** Chosen at least once; names beyond a million are not told apart. */
  readonly arms: number;
  readonly policies: number;
  /** Whether every reward was 0 or 1. */
  readonly binary: boolean;
};

const mostNames = 1_000_000;

/** Hands the batches on and counts them. */
export const tallied = (
  batches: AsyncIterable<readonly LoggedDecision[]>,
): { readonly batches: AsyncGenerator<readonly LoggedDecision[], void, undefined>; readonly summary: () => LogSummary } => {
  let records = 0;
  let withoutOutcome = 0;
  let binary = true;
  const arms = new Set<string>();
  const policies = new Set<string>();
  const { isNew, duplicates } = openUnduplicated();
  const count = (decision: LoggedDecision): void => {
    const { arm, policy, outcome } = decision;
    records += 1;
    isNew(decision.id);
    if (arms.size < mostNames) arms.add(arm);
    if (policies.size < mostNames) policies.add(policy);
    if (outcome === null) withoutOutcome += 1;
    else binary &&= [0, 1, null].includes(rewardOf(outcome));
  };
  const counted = async function* () {
    for await (const batch of batches) {
      batch.forEach(count);
      yield batch;
    }
  };
  return {
    batches: counted(),
    summary: () => ({ records, withoutOutcome, duplicates: duplicates(), arms: arms.size, policies: policies.size, binary }),
  };
};
