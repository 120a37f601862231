import { seededRandom } from '../../../src/domain/random.ts';
import type { LoggedDecision } from '../../../src/replay/logged/logged-decision.ts';

/** A log of another system with a known truth: two kinds of request, three arms, rewards of 0 or 1. */
const truth: Readonly<Record<string, readonly number[]>> = { plain: [0.3, 0.5, 0.7], coding: [0.8, 0.4, 0.6] };
export const arms = ['a', 'b', 'c'] as const;
const kinds = ['plain', 'coding'] as const;
const weights = { success: 1, streaming: 0, cache: 0, cost: 0 };
const startMs = Date.UTC(2026, 2, 1);

/** Value of a policy with the same shares for both kinds, which come equally often. */
export const valueOf = (shares: readonly number[]): number =>
  kinds.reduce((sum, kind) => sum + shares.reduce((value, share, i) => value + share * (truth[kind]?.[i] ?? 0), 0) / 2, 0);

export type MadeUp = {
  readonly size: number;
  readonly seed: string;
  readonly logger: (soFar: number) => readonly number[];
  readonly change?: (decision: LoggedDecision, i: number) => LoggedDecision;
};

export const madeUpLog = ({ size, seed, logger, change = (decision) => decision }: MadeUp): readonly LoggedDecision[] => {
  const random = seededRandom(seed);
  return Array.from({ length: size }, (_, i) => {
    const kind = random() < 0.5 ? 'plain' : 'coding';
    const propensities = logger(i);
    const draw = random();
    let cumulative = 0;
    const chosen = propensities.findIndex((propensity) => draw < (cumulative += propensity));
    const success = random() < (truth[kind]?.[chosen] ?? 0) ? 1 : 0;
    return change(
      {
        id: `record-${i}`,
        atMs: startMs + i * 1_000,
        tenant: 'default',
        cluster: `record-${i}`,
        policy: 'logger v1',
        arm: arms[chosen] ?? 'a',
        propensity: propensities[chosen] ?? 0,
        candidates: { arms, propensities },
        cells: ['all', `kind:${kind}`],
        context: { kind: 'slot', slot: 0 },
        outcome: {
          parts: { success, streaming: 0.5, cache: 0, cost: 0.25 },
          weights,
          failed: success === 0,
          costUsd: 0.001 * (1 + chosen),
          latencyMs: 100 * (1 + chosen),
          tokens: { prompt: 1_000, completion: 1_000 },
        },
      },
      i,
    );
  });
};

/** As a reader gives them. */
export const inPages = (decisions: readonly LoggedDecision[], pageSize = 300) =>
  async function* () {
    await Promise.resolve();
    for (let from = 0; from < decisions.length; from += pageSize) yield decisions.slice(from, from + pageSize);
  };
