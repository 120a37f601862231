import type { Page, WeighedPage } from './evaluated-page.ts';
import type { Exploration, Stretch } from './report.ts';
import { openStretches, valueWithInterval } from './stretches.ts';

/** How the logger explored, what its decisions came to and what each candidate's would have, over the period. */
export type OverTime = {
  readonly add: (page: Page, weighed: readonly WeighedPage[]) => void;
  readonly finish: () => FoundOverTime;
};

export type FoundOverTime = {
  /** Null where no decision had a choice. */
  readonly evenness: Exploration['evenness'];
  /** From the first stretch to the last, where it is notable. */
  readonly drift: { readonly from: number; readonly to: number } | null;
  /** By candidate. */
  readonly stretches: readonly (readonly Stretch[])[];
};

export const openOverTime = ({
  candidates,
  hasModel,
  alpha,
}: {
  readonly candidates: number;
  readonly hasModel: boolean;
  readonly alpha: number;
}): OverTime => {
  // Evenness, outcome, and for each candidate the terms of the recommended estimator, of its value and of its difference.
  const stretches = openStretches(2 + 2 * candidates);
  const values = new Float64Array(2 + 2 * candidates);
  return {
    add: ({ decisions, outcomes, logged }, weighed) => {
      const reward = outcomes[0];
      decisions.forEach((decision, i) => {
        const r = reward?.[i] ?? NaN;
        values[0] = decision.candidates === null ? NaN : evennessOf(decision.candidates.propensities);
        values[1] = r;
        weighed.forEach(({ candidate, predicted, expected, expectedOfLogger, accepted }, k) => {
          const w = (candidate[i] ?? 0) / (logged[i] ?? 1);
          const [q, d, l] = hasModel ? [predicted[0]?.[i] ?? 0, expected[0]?.[i] ?? 0, expectedOfLogger[0]?.[i] ?? 0] : [0, 0, 0];
          values[2 + 2 * k] = accepted === null ? d + w * (r - q) : accepted[i] === 1 ? r : NaN;
          // As in `contrast`: what both have in common cancels.
          values[3 + 2 * k] = accepted === null ? d - l + (w - 1) * (r - q) : NaN;
        });
        stretches.add(decision.atMs, values);
      });
    },
    finish: () => {
      const means = stretches.finish();
      const evenness = means.flatMap((one) => {
        const found = one.of(0);
        return found === null ? [] : [{ firstAt: iso(one.firstAtMs), records: found.count, mean: found.mean }];
      });
      return {
        evenness: evenness.length === 0 ? null : evenness,
        drift: driftOf(evenness),
        stretches: Array.from({ length: candidates }, (_, k) =>
          means.map((one) => ({
            firstAt: iso(one.firstAtMs),
            lastAt: iso(one.lastAtMs),
            records: one.records,
            candidate: valueWithInterval(one.of(2 + 2 * k), alpha),
            logger: valueWithInterval(one.of(1), alpha),
            difference: one.of(3 + 2 * k)?.mean ?? null,
          })),
        ),
      };
    },
  };
};

/** Entropy divided by that of equal probabilities; NaN where there was no choice. */
const evennessOf = (propensities: readonly number[]): number => {
  if (propensities.length < 2) return NaN;
  let entropy = 0;
  for (const propensity of propensities) if (propensity > 0) entropy -= propensity * Math.log(propensity);
  return entropy / Math.log(propensities.length);
};

const notableDrift = 0.1;
const driftOf = (evenness: readonly { readonly mean: number }[]): FoundOverTime['drift'] => {
  const [first, last] = [evenness[0]?.mean, evenness.at(-1)?.mean];
  return first === undefined || last === undefined || Math.abs(first - last) < notableDrift ? null : { from: first, to: last };
};

const iso = (ms: number): string => new Date(ms).toISOString();
