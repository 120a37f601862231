/** The standard normal distribution: its distribution function and the inverse, both to about 1e-15 of the value itself, in the far tails too. */
import { InvariantError } from '../../errors.ts';

/**
 * P(Z <= z): above 0 down to z = -38; 0 and 1 at the infinities.
 * Source: W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969); in this form ANORM of Algorithm 715 (SPECFUN), ACM TOMS 19 (1993).
 */
export const normalCdf = (z: number): number => {
  if (Math.abs(z) <= 0.66291) return 0.5 + z * centralSlope(z * z);
  const distance = Math.min(Math.abs(z), 40);
  const tail = gaussian(distance) * (distance <= 5.656854249492381 ? tailRatio(distance) : farTailRatio(distance));
  return z < 0 ? tail : 1 - tail;
};

/** exp(-z^2 / 2), with z cut to sixteenths, whose square is exact: rounding z^2 would cost z^2 / 2 units in the last place. */
const gaussian = (z: number): number => {
  const cut = Math.trunc(z * 16) / 16;
  return Math.exp((-cut * cut) / 2) * Math.exp(((cut - z) * (cut + z)) / 2);
};

/** (P(Z <= z) - 1/2) / z, as a function of z^2. */
const centralSlope = (s: number): number =>
  ((((0.065682337918207449 * s + 2.2352520354606839) * s + 161.02823106855588) * s + 1067.689485460371) * s + 18154.981253343561) /
  ((((s + 47.202581904688242) * s + 976.09855173777669) * s + 10260.932208618978) * s + 45507.78933502673);

/** P(Z > z) / exp(-z^2 / 2) for z from 0.66291 to sqrt(32). */
const tailRatio = (z: number): number =>
  ((((((((1.0765576773720192e-8 * z + 0.39894151208813467) * z + 8.8831497943883759) * z + 93.506656132177856) * z + 597.27027639480026) *
    z +
    2494.5375852903727) *
    z +
    6848.1904505362823) *
    z +
    11602.65143764735) *
    z +
    9842.714838383978) /
  ((((((((z + 22.266688044328116) * z + 235.387901782625) * z + 1519.3775994075548) * z + 6485.5582982667608) * z + 18615.571640885098) *
    z +
    34900.952721145977) *
    z +
    38912.003286093271) *
    z +
    19685.429676859991);

/** The same beyond sqrt(32): its asymptotic series 1 / (z sqrt(2 pi)) (1 - ...), in 1 / z^2. */
const farTailRatio = (z: number): number => {
  const r = 1 / (z * z);
  const rest =
    (((((0.023073441764940173 * r + 0.21589853405795699) * r + 0.12740116116024736) * r + 0.022235277870649807) * r +
      0.0014216191932278935) *
      r +
      2.9112874951168792e-5) /
    (((((r + 1.2842600961449112) * r + 0.46823821248086512) * r + 0.065988137868928552) * r + 0.0037823963320275824) * r +
      7.2975155508396621e-5);
  return (0.3989422804014327 - r * rest) / z;
};

/**
 * The z below which a standard normal variable falls with probability p; -Infinity and Infinity for 0 and 1. Other p: InvariantError.
 * For an upper tail q write -normalQuantile(q): 1 - q would round q away.
 * Source: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
 */
export const normalQuantile = (p: number): number => {
  if (!(p >= 0 && p <= 1)) throw new InvariantError(`expected a probability from 0 to 1, got ${p}`);
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * centralQuantile(0.180625 - q * q);
  const tail = Math.min(p, 1 - p);
  if (tail === 0) return q * Infinity;
  const r = Math.sqrt(-Math.log(tail));
  return Math.sign(q) * (r <= 5 ? tailQuantile(r - 1.6) : farTailQuantile(r - 5));
};

const centralQuantile = (r: number): number =>
  (((((((2509.0809287301227 * r + 33430.575583588128) * r + 67265.770927008701) * r + 45921.953931549871) * r + 13731.693765509461) * r +
    1971.5909503065514) *
    r +
    133.14166789178438) *
    r +
    3.3871328727963666) /
  (((((((5226.4952788528546 * r + 28729.085735721943) * r + 39307.895800092711) * r + 21213.794301586596) * r + 5394.1960214247511) * r +
    687.18700749205791) *
    r +
    42.313330701600911) *
    r +
    1);

const tailQuantile = (r: number): number =>
  (((((((7.7454501427834141e-4 * r + 0.022723844989269185) * r + 0.24178072517745061) * r + 1.2704582524523684) * r + 3.6478483247632046) *
    r +
    5.7694972214606914) *
    r +
    4.6303378461565453) *
    r +
    1.4234371107496836) /
  (((((((1.0507500716444169e-9 * r + 5.4759380849953449e-4) * r + 0.015198666563616457) * r + 0.14810397642748007) * r + 0.6897673349851) *
    r +
    1.6763848301838038) *
    r +
    2.0531916266377588) *
    r +
    1);

const farTailQuantile = (r: number): number =>
  (((((((2.0103343992922881e-7 * r + 2.7115555687434876e-5) * r + 0.0012426609473880784) * r + 0.026532189526576124) * r +
    0.29656057182850489) *
    r +
    1.7848265399172913) *
    r +
    5.4637849111641144) *
    r +
    6.6579046435011038) /
  (((((((2.0442631033899397e-15 * r + 1.4215117583164459e-7) * r + 1.8463183175100548e-5) * r + 7.8686913114561329e-4) * r +
    0.014875361290850615) *
    r +
    0.13692988092273581) *
    r +
    0.59983220655588794) *
    r +
    1);
