import { everyRequest } from '../../domain/routing/evidence.ts';
import type { RewardModelKind } from './report.ts';

/**
 * A model of what comes of an arm for a kind of request: means down the chain of cells, each shrunk to the level above it, of several quantities at once.
 *
 *   q(a)        = (sum_a + 100 mean) / (n_a + 100)                 mean: of all records
 *   q(a, cell)  = (sum_a,cell + 20 q(a, cell above)) / (n_a,cell + 20)
 *
 * Records without cells stop at the first line. No record may be predicted from itself, or errors of the model and of the outcome go together:
 *
 * - cross-fitted: records are dealt into five folds by a hash of their cluster, and each is predicted from the four others (Chernozhukov et al., "Double/debiased machine learning for treatment and structural parameters", 2018). Two passes:
 *   `add` all, then `predict`.
 * - past: each is predicted from those before it: `predict`, then `add`. Predictions look back only, so that terms keep their mean given the past also where the logger learns (Bibaut et al., "Post-contextual-bandit inference", NeurIPS 2021);
 *   the first hundred are predicted badly, which costs variance and no bias.
 *
 * - in-sample: each is predicted from all, itself too, for comparing with tools that do so. Two passes.
 *
 * Memory is bounded: pairs of arm and cell beyond the first 131,072 are not kept, and fall back to the cell above.
 */
export type RewardModel = {
  /** Number of an arm, as `add` and `predict` want it. */
  readonly armOf: (arm: string) => number;
  readonly cellsOf: (cells: readonly string[]) => readonly number[];
  readonly foldOf: (cluster: number) => number;
  /** One value for each quantity; NaN where it was not measured. */
  readonly add: (arm: number, cells: readonly number[], fold: number, values: Float64Array) => void;
  /** Writes q of each quantity to `into` from `offset` on. Before anything was added: 0. */
  readonly predict: (arm: number, cells: readonly number[], fold: number, into: Float64Array, offset: number) => void;
};

const foldCount = 5;
const armStrength = 100;
const cellStrength = 20;
const mostNodes = 131_072;
const mostArms = 65_536;

export const openRewardModel = (kind: Exclude<RewardModelKind, 'none'>, quantityCount: number): RewardModel => {
  const folds = kind === 'cross-fitted' ? foldCount : 0;
  const arms = numbering();
  const cells = numbering();
  const chains = new WeakMap<readonly string[], readonly number[]>();
  const nodes = new Map<number, Sums>();
  const made = (): Sums => sumsFor(folds, quantityCount);
  const overall = made();

  const nodeOf = (cell: number, arm: number): Sums | undefined => nodes.get(cell * mostArms + arm);
  const nodeFor = (cell: number, arm: number): Sums | undefined => {
    const known = nodeOf(cell, arm);
    if (known !== undefined || nodes.size >= mostNodes) return known;
    const node = made();
    nodes.set(cell * mostArms + arm, node);
    return node;
  };
  return {
    armOf: arms,
    // 0 is the arm itself, whatever the request: the cell of all requests says no more.
    cellsOf: (names) => {
      const known = chains.get(names);
      if (known !== undefined) return known;
      const made = [0, ...names.filter((name) => name !== everyRequest).map((name) => 1 + cells(name))];
      chains.set(names, made);
      return made;
    },
    foldOf: (cluster) => (folds === 0 ? 0 : spread(cluster) % folds),
    add: (arm, chain, fold, values) => {
      addTo(overall, folds, fold, values);
      for (const cell of chain) {
        const node = nodeFor(cell, arm);
        if (node !== undefined) addTo(node, folds, fold, values);
      }
    },
    predict: (arm, chain, fold, into, offset) => {
      into.fill(0, offset, offset + quantityCount);
      shrink(overall, 0, folds, fold, into, offset, quantityCount);
      for (const cell of chain) {
        const node = nodeOf(cell, arm);
        if (node !== undefined) shrink(node, cell === 0 ? armStrength : cellStrength, folds, fold, into, offset, quantityCount);
      }
    },
  };
};

/** Of all records, and behind them of each fold. */
type Sums = { readonly sums: Float64Array; readonly counts: Float64Array };

const sumsFor = (folds: number, quantityCount: number): Sums => ({
  sums: new Float64Array((1 + folds) * quantityCount),
  counts: new Float64Array((1 + folds) * quantityCount),
});

const addTo = ({ sums, counts }: Sums, folds: number, fold: number, values: Float64Array): void => {
  for (let quantity = 0; quantity < values.length; quantity++) {
    const value = values[quantity] ?? NaN;
    if (Number.isNaN(value)) continue;
    addAt(sums, quantity, value);
    addAt(counts, quantity, 1);
    if (folds === 0) continue;
    addAt(sums, (1 + fold) * values.length + quantity, value);
    addAt(counts, (1 + fold) * values.length + quantity, 1);
  }
};

const addAt = (array: Float64Array, index: number, value: number): void => {
  array[index] = (array[index] ?? 0) + value;
};

/** From what stands in `into`, the level above, to this one, without the records of the fold. */
const shrink = (
  { sums, counts }: Sums,
  strength: number,
  folds: number,
  fold: number,
  into: Float64Array,
  offset: number,
  quantityCount: number,
): void => {
  const own = folds === 0 ? null : (1 + fold) * quantityCount;
  for (let quantity = 0; quantity < quantityCount; quantity++) {
    const sum = (sums[quantity] ?? 0) - (own === null ? 0 : (sums[own + quantity] ?? 0));
    const count = (counts[quantity] ?? 0) - (own === null ? 0 : (counts[own + quantity] ?? 0));
    if (count + strength > 0) into[offset + quantity] = (sum + strength * (into[offset + quantity] ?? 0)) / (count + strength);
  }
};

const numbering = (): ((name: string) => number) => {
  const known = new Map<string, number>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    // Beyond the bound all share the last number: the model is coarser there, and nothing else.
    const made = Math.min(known.size, mostArms - 1);
    if (known.size < mostArms) known.set(name, made);
    return made;
  };
};

/** Numbers of clusters may be consecutive (Knuth's multiplicative hash, the high bits). */
const spread = (cluster: number): number => Math.imul(cluster, 0x9e3779b1) >>> 8;
