import type { RewardWeights } from '../../domain/reward/reward.ts';
import type { LoggedDecision } from '../logged/logged-decision.ts';
import type { Counts, EvaluatedPeriod, Exploration, Logger } from './report.ts';
import { textHash } from '../text-hash.ts';
import { openUnduplicated } from '../unduplicated.ts';
import { openOrder } from './order.ts';

/** Which records are kept, and what is to be said of all of them. In memory that is bounded whatever the log holds. */
export type RecordBook = {
  /** Whether it is new, and not the second record of one decision. Asked once for each record, in the order of the log. */
  readonly isNew: (decision: LoggedDecision) => boolean;
  readonly counts: () => Counts;
  readonly times: () => Pick<EvaluatedPeriod, 'firstAt' | 'lastAt'>;
  readonly loggers: () => readonly Logger[];
  readonly exploration: () => Pick<Exploration, 'smallestPropensity' | 'floor'>;
  readonly weightsChanged: () => boolean;
  readonly isInOrder: () => boolean;
};

const mostLoggers = 64;
const others = '(others)';

export const recordBook = (): RecordBook => {
  const unduplicated = openUnduplicated();
  const order = openOrder();
  const clusters = openDistinct();
  const loggers = new Map<string, number>();
  let read = 0;
  let censored = 0;
  let evaluated = 0;
  let [firstAtMs, lastAtMs] = [Infinity, -Infinity];
  let [smallestPropensity, floor] = [1, Infinity];
  let weights: RewardWeights | null = null;
  let weightsChanged = false;

  const note = ({ atMs, policy, propensity, candidates, cluster, outcome }: LoggedDecision): void => {
    firstAtMs = Math.min(firstAtMs, atMs);
    lastAtMs = Math.max(lastAtMs, atMs);
    const named = loggers.has(policy) || loggers.size < mostLoggers - 1 ? policy : others;
    loggers.set(named, (loggers.get(named) ?? 0) + 1);
    smallestPropensity = Math.min(smallestPropensity, propensity);
    for (const one of candidates?.propensities ?? []) floor = Math.min(floor, one);
    clusters.add(textHash(cluster));
    weights ??= outcome?.weights ?? null;
    if (outcome !== null && weights !== null && !areEqual(weights, outcome.weights)) weightsChanged = true;
  };
  return {
    isNew: (decision) => {
      read++;
      if (!unduplicated.isNew(decision.id)) return false;
      order.add(decision);
      if (decision.outcome === null) censored++;
      else {
        evaluated++;
        note(decision);
      }
      return true;
    },
    counts: () => ({ read, duplicates: unduplicated.duplicates(), censored, evaluated, clusters: Math.min(evaluated, clusters.count()) }),
    times: () => ({ firstAt: iso(firstAtMs), lastAt: iso(lastAtMs) }),
    loggers: () => [...loggers].map(([policy, records]) => ({ policy, records })).sort((a, b) => b.records - a.records),
    exploration: () => ({ smallestPropensity, floor: Number.isFinite(floor) ? floor : null }),
    weightsChanged: () => weightsChanged,
    isInOrder: order.isKept,
  };
};

const areEqual = (a: RewardWeights, b: RewardWeights): boolean =>
  a.success === b.success && a.streaming === b.streaming && a.cache === b.cache && a.cost === b.cost;

const iso = (ms: number): string => new Date(Number.isFinite(ms) ? ms : 0).toISOString();

/**
 * How many different numbers below 2^32 came, by linear counting over 2^22 bits (Whang, Vander-Zanden and Taylor 1990): exact to 1 in 1,000 up to a few million, 512 KB. Few are counted as they are.
 */
const openDistinct = (): { readonly add: (value: number) => void; readonly count: () => number } => {
  const bits = new Uint32Array(2 ** 17);
  const few = new Set<number>();
  const size = 32 * bits.length;
  let filled = 0;
  return {
    add: (value) => {
      if (few.size < mostCounted) few.add(value);
      const place = (Math.imul(value, 0x9e3779b1) >>> 0) % size;
      const mask = 1 << (place & 31);
      const word = bits[place >>> 5] ?? 0;
      if ((word & mask) !== 0) return;
      bits[place >>> 5] = word | mask;
      filled++;
    },
    count: () => (few.size < mostCounted ? few.size : Math.round(-size * Math.log(Math.max(1, size - filled) / size))),
  };
};

const mostCounted = 10_000;
