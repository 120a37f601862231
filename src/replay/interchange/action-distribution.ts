import { finest, propensities } from '../../domain/routing/propensities.ts';
import { PermanentError } from '../../errors.ts';

/** A policy that looks at the slot alone, as a distribution over arms. Read from files by `readActionDistribution`. */
export type DistributionSpec =
  | { readonly kind: 'uniform' }
  /** `probabilities[i][slot]` is that of `arms[i]`. They sum to 1 over the arms. */
  | { readonly kind: 'table'; readonly arms: readonly string[]; readonly probabilities: readonly (readonly number[])[] }
  /** Thompson sampling with these Beta posteriors that learns no more: each slot is filled by a draw of its own. */
  | { readonly kind: 'beta'; readonly arms: readonly string[]; readonly alpha: readonly number[]; readonly beta: readonly number[] };

/** How many slots it has probabilities for, from 0 on; null: as many as there are. */
export const slotsOf = (spec: DistributionSpec): number | null => (spec.kind === 'table' ? (spec.probabilities[0]?.length ?? 0) : null);

/**
 * Probability of each of `arms` in a slot (from 0 on), in their order. What the policy gives to arms that are not among them is left out, so that the sum may be below 1; arms that the policy does
 * not know have 0. The result for the same array of arms is made once and must not be written to. Throws a PermanentError for a slot that the policy has no probabilities for, and where it knows
 * none of the arms: then the names are not those of the log.
 */
export type ActionDistribution = (slot: number, arms: readonly string[]) => Float64Array;

/** The arms that the policy chooses from; null where it takes any. */
export const armsOf = (spec: DistributionSpec): readonly string[] | null => (spec.kind === 'uniform' ? null : spec.arms);

export const distributionOf = (spec: DistributionSpec): ActionDistribution => {
  const ofSlot = sharesOf(spec);
  const made = new WeakMap<readonly string[], Map<number, Float64Array>>();
  return (slot, arms) => {
    const bySlot = made.get(arms) ?? new Map<number, Float64Array>();
    const found = bySlot.get(slot) ?? ofSlot(slot, arms);
    bySlot.set(slot, found);
    made.set(arms, bySlot);
    return found;
  };
};

const sharesOf = (spec: DistributionSpec): ActionDistribution => {
  switch (spec.kind) {
    case 'uniform':
      return (_slot, arms) => new Float64Array(arms.length).fill(1 / arms.length);
    case 'table': {
      const rows = rowsOf(spec.arms, spec.probabilities);
      const slots = slotsOf(spec) ?? 0;
      return (slot, arms) => {
        if (!(slot < slots))
          throw new PermanentError('data-invalid', `expected records of ${slots} slots, as the distribution has, got slot ${slot}`);
        return valuesFor(arms, rows, (row) => row[slot] ?? 0);
      };
    }
    case 'beta': {
      const shares = propensities(
        spec.alpha.map((alpha, i) => ({ alpha, beta: spec.beta[i] ?? NaN })),
        finest,
      );
      const rows = rowsOf(spec.arms, shares);
      return (_slot, arms) => valuesFor(arms, rows, (share) => share);
    }
  }
};

const rowsOf = <Row>(arms: readonly string[], rows: ArrayLike<Row>): ReadonlyMap<string, Row> =>
  new Map(
    arms.flatMap((arm, i) => {
      const row = rows[i];
      return row === undefined ? [] : [[arm, row] as const];
    }),
  );

const valuesFor = <Row>(arms: readonly string[], rows: ReadonlyMap<string, Row>, valueOf: (row: Row) => number): Float64Array => {
  if (!arms.some((arm) => rows.has(arm)))
    throw new PermanentError(
      'data-invalid',
      `expected arms that the distribution knows (${firstOf([...rows.keys()])}), got ${firstOf(arms)}`,
    );
  return Float64Array.from(arms, (arm) => {
    const row = rows.get(arm);
    return row === undefined ? 0 : valueOf(row);
  });
};

const firstOf = (names: readonly string[]): string => (names.length > 5 ? `${names.slice(0, 5).join(', ')}, ...` : names.join(', '));
