import { betaDensity, logDensity } from '../routing/beta-density.ts';
import { normalCdf } from '../routing/normal-distribution.ts';

/**
 * Student's t distribution, for means of plain samples. Relative error below 1e-10 for probabilities above 1e-200, of quantiles below 1e-12 for probabilities above 1e-8.
 *
 *   P(|T| > t) = I_x(nu / 2, 1 / 2),   x = nu / (nu + t^2)                       NIST DLMF 8.17, Abramowitz and Stegun 26.7.1
 *   I_x(a, b)  = x^a (1 - x)^b / (a B(a, b)) / (1 + d1 / (1 + d2 / (1 + ...)))   DLMF 8.17.22
 */
export const studentTail = (t: number, degrees: number): number => {
  if (t === 0) return 1;
  if (degrees > manyDegrees) return 2 * normalCdf(-normalScore(t, degrees));
  return incompleteBeta(Math.log(degrees / (t * t)), degrees / 2, 0.5);
};

/** Beyond, what is left of `normalScore` is below the rounding, and that of the density above it grows with the degrees. */
const manyDegrees = 10_000;

/** The normal deviate that is exceeded as often. G. W. Hill, Algorithm 395, Comm. ACM 13 (1970): with a = nu - 1/2, b = 48 a^2 and y = a log(1 + t^2 / nu), whose root it is to first order. */
const normalScore = (t: number, degrees: number): number => {
  const a = degrees - 0.5;
  const b = 48 * a * a;
  const y = a * Math.log1p((t * t) / degrees);
  const second = (((0.4 * y + 3.3) * y + 24) * y + 85.5) / (0.8 * y * y + 100 + b);
  return Math.sqrt(y) * (1 + (y + 3 - second) / b);
};

/** The t that is exceeded, either way, with this probability. */
export const studentQuantile = (tail: number, degrees: number): number => {
  let high = 1;
  while (studentTail(high, degrees) > tail && high < largest) high *= 2;
  let low = 0;
  for (let step = 0; step < bisections; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, degrees) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

const largest = 1e12;
const bisections = 60;

/** I_x(a, b) at x = 1 / (1 + e^-logit). The fraction converges fast on one side of the peak; the other is what is left of 1. */
const incompleteBeta = (logit: number, a: number, b: number): number => {
  const x = 1 / (1 + Math.exp(-logit));
  // The density over the logit is x^a (1 - x)^b / B(a, b).
  const density = Math.exp(logDensity(betaDensity(a, b), logit));
  return x < (a + 1) / (a + b + 2) ? (density / a) * fraction(x, a, b) : 1 - (density / b) * fraction(1 / (1 + Math.exp(logit)), b, a);
};

/** By the method of Lentz (1976), as Thompson and Barnett (1986) changed it. */
const fraction = (x: number, a: number, b: number): number => {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= mostTerms; m++) {
    for (const term of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / awayFromZero(1 + term * d);
      c = awayFromZero(1 + term / c);
      value *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return value;
};

const mostTerms = 100_000;
const awayFromZero = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value);
