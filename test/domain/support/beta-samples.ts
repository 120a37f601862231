import { normalFrom } from '../../../src/domain/random.ts';

/** A Beta(alpha, beta) number from two Gamma ones. Source: Marsaglia and Tsang 2000; below 1 with their boost. Only for parameters that do not underflow. */
export const betaSample = (random: () => number, alpha: number, beta: number): number => {
  const x = gammaSample(random, alpha);
  return x / (x + gammaSample(random, beta));
};

const gammaSample = (random: () => number, shape: number): number => {
  if (shape < 1) return gammaSample(random, shape + 1) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normalFrom(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
};
