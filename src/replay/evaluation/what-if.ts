import { costNanoUsd, type Price } from '../../domain/price.ts';
import { costPart } from '../../domain/reward/reward.ts';
import type { LoggedDecision } from '../logged/logged-decision.ts';

/**
 * The same log under other prices: what answers cost follows from their tokens, and the cost part of the reward from that. A failure keeps the cost part of 0 that failures have. Records whose tokens nobody counted have no
 * cost under a new price, and keep their cost part; they are counted in the quantity `costUsd` as not measured.
 */
export const repricing = (
  prices: Readonly<Record<string, Price>>,
  costTargetUsd: number,
): ((decision: LoggedDecision) => LoggedDecision) => {
  const known = new Map(Object.entries(prices));
  if (known.size === 0) return (decision) => decision;
  return (decision) => {
    const { arm, outcome } = decision;
    const price = known.get(arm);
    if (outcome === null || price === undefined) return decision;
    const { tokens, parts, failed } = outcome;
    if (tokens === null) return { ...decision, outcome: { ...outcome, costUsd: null } };
    const costUsd = costNanoUsd({ promptTokens: tokens.prompt, completionTokens: tokens.completion }, price) / 1e9;
    const cost = failed === true ? parts.cost : costPart(costUsd, costTargetUsd);
    return { ...decision, outcome: { ...outcome, costUsd, parts: { ...parts, cost } } };
  };
};
