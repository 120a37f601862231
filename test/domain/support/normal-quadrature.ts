/**
 * The probabilities of normal arms by another way: three Gauss nodes on each of the many cells between the arms' own grids of 0.05 standard deviations, the
 * distribution function by its Taylor series and its continued fraction. Slow; right to about 1e-13 whatever the ratios of the standard deviations.
 */
type Parameters = { readonly mean: number; readonly sd: number };

export const normalPropensitiesByCells = (arms: readonly Parameters[]): number[] => {
  const edges = arms.flatMap(({ mean, sd }) => Array.from({ length: 361 }, (_, i) => mean + sd * (i - 180) * 0.05)).sort((a, b) => a - b);
  const sums = arms.map(() => 0);
  for (let cell = 1; cell < edges.length; cell++) {
    const half = (edges[cell]! - edges[cell - 1]!) / 2;
    const middle = edges[cell - 1]! + half;
    for (const [node, weight] of [
      [-Math.sqrt(0.6), 5 / 9],
      [0, 8 / 9],
      [Math.sqrt(0.6), 5 / 9],
    ] as const) {
      const z = arms.map(({ mean, sd }) => (middle + node * half - mean) / sd);
      const below = z.map(distribution);
      arms.forEach(({ sd }, i) => {
        sums[i]! += below.reduce((product, value, j) => (j === i ? product : product * value), (weight * half * density(z[i]!)) / sd);
      });
    }
  }
  return sums;
};

const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/** Source: Marsaglia, Evaluating the normal distribution, J. Stat. Softw. 11 (2004), near 0; Laplace's continued fraction in the tails. */
const distribution = (z: number): number => {
  if (Math.abs(z) > 5) {
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = n / (Math.abs(z) + fraction);
    const tail = density(z) / (Math.abs(z) + fraction);
    return z < 0 ? tail : 1 - tail;
  }
  let [sum, term] = [z, z];
  for (let n = 3; Math.abs(term) > 1e-18; n += 2) sum += term *= (z * z) / n;
  return 0.5 + sum * density(z);
};
