/** Weights by size, on a grid that is the same for every log: four bins to a power of ten. */
export type WeightHistogram = {
  /** Weights of exactly 0. */
  readonly zero: number;
  /** From `from` up to, not with, `to`. The first begins at 0 and the last has no end. */
  readonly bins: readonly { readonly from: number; readonly to: number; readonly count: number }[];
};

const binsPerDecade = 4;
const [leastExponent, mostExponent] = [-4, 6];
const binCount = (mostExponent - leastExponent) * binsPerDecade;

export const openHistogram = (): { readonly add: (weight: number) => void; readonly finish: () => WeightHistogram } => {
  const counts = new Float64Array(binCount);
  let zero = 0;
  return {
    add: (weight) => {
      if (weight === 0) {
        zero++;
        return;
      }
      const place = Math.floor((Math.log10(weight) - leastExponent) * binsPerDecade);
      const bin = Math.min(Math.max(place, 0), binCount - 1);
      counts[bin] = (counts[bin] ?? 0) + 1;
    },
    finish: () => ({ zero, bins: Array.from(counts, (count, i) => ({ from: i === 0 ? 0 : edge(i), to: edge(i + 1), count })) }),
  };
};

const edge = (i: number): number => (i === binCount ? Infinity : 10 ** (leastExponent + i / binsPerDecade));
