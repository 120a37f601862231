/**
 * The same probabilities by another way: trapezoids over the logit (spectrally accurate for what is analytic and dies out at both ends), log Gamma by
 * Lanczos, the distribution function by its continued fraction (Lentz). Slow; for parameters from 0.5 to about 1e4.
 */
type Parameters = { readonly alpha: number; readonly beta: number };

export const propensitiesByTrapezoids = (arms: readonly Parameters[]): number[] => {
  const lower = Math.max(...arms.map(({ alpha, beta }) => Math.log(alpha / beta) - 40 * Math.sqrt(1 / alpha + 1 / beta) - 40 / alpha));
  const upper = Math.max(...arms.map(({ alpha, beta }) => Math.log(alpha / beta) + 40 * Math.sqrt(1 / alpha + 1 / beta) + 40 / beta));
  const step = Math.min(...arms.map(({ alpha, beta }) => 0.1 * Math.sqrt(1 / alpha + 1 / beta)), 0.1);
  const sums = arms.map(() => 0);
  for (let y = lower; y < upper; y += step) {
    const densities = arms.map((arm) => density(arm, y));
    if (densities.every((value) => value < 1e-30)) continue;
    const below = arms.map((arm) => distribution(arm, y));
    arms.forEach((_, i) => {
      sums[i]! += step * below.reduce((product, value, j) => (j === i ? product : product * value), densities[i]!);
    });
  }
  return sums;
};

const density = ({ alpha, beta }: Parameters, y: number): number =>
  Math.exp(-alpha * softplus(-y) - beta * softplus(y) - logBeta(alpha, beta));

const distribution = ({ alpha, beta }: Parameters, y: number): number => {
  const x = 1 / (1 + Math.exp(-y));
  if (x > (alpha + 1) / (alpha + beta + 2)) return 1 - distribution({ alpha: beta, beta: alpha }, -y);
  return (density({ alpha, beta }, y) * continuedFraction(alpha, beta, x)) / alpha;
};

const continuedFraction = (a: number, b: number, x: number): number => {
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) return value;
  }
  throw new Error(`the continued fraction does not converge at ${a}, ${b}, ${x}`);
};

const softplus = (y: number): number => Math.max(y, 0) + Math.log1p(Math.exp(-Math.abs(y)));

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Lanczos with g = 7 and n = 9: relative error about 1e-15 (Godfrey 2001). */
const logGamma = (z: number): number => {
  const sum = lanczos.reduce((total, coefficient, i) => (i === 0 ? coefficient : total + coefficient / (z - 1 + i)), 0);
  const t = z + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (z - 0.5) * Math.log(t) - t + Math.log(sum);
};
