import type { Baseline } from './baselines.ts';
import type { ArmFigures } from './memory.ts';
import type { Parity } from './parity.ts';

/** What a demo says at its end. Figures of arms are from ClickHouse, the parity from the sender, the log and ClickHouse. */
export type DemoReport = {
  readonly requests: number;
  readonly models: readonly string[];
  readonly simulated: boolean;
  readonly elapsedMs: number;
  /** The latest that a request was sent after the trace had it; null without a trace. */
  readonly latestMs: number | null;
  readonly drainMs: number;
  /** Attempts beyond the first. */
  readonly repeatedAttempts: number;
  /** Failures by code. */
  readonly failures: Readonly<Record<string, number>>;
  readonly fromCache: number;
  readonly arms: readonly ArmFigures[];
  /** Of all judged answers; null when none was judged. */
  readonly overall: { readonly measuredReward: number | null; readonly costUsdPerRequest: number };
  /** Null without recorded rows. */
  readonly baselines: readonly Baseline[] | null;
  readonly parity: Parity;
  readonly mismatches: readonly string[];
  /** Configuration file and folder that were left for questions; null when all was removed. */
  readonly kept: { readonly folder: string; readonly configFile: string } | null;
};

/** All arms together. */
export const overallOf = (arms: readonly ArmFigures[]): DemoReport['overall'] => {
  const sum = (of: (arm: ArmFigures) => number) => arms.reduce((total, arm) => total + of(arm), 0);
  const judged = sum((arm) => arm.judged);
  const requests = sum((arm) => arm.requests);
  return {
    measuredReward: judged === 0 ? null : sum((arm) => (arm.measuredReward ?? 0) * arm.judged) / judged,
    costUsdPerRequest: requests === 0 ? 0 : sum((arm) => arm.costUsdPerRequest * arm.requests) / requests,
  };
};
