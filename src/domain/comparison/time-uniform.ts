/**
 * How many standard errors either end of an asymptotic confidence sequence lies from the mean, so that the end holds at all looks together with error probability `error`:
 *
 *   sqrt(2 (N r^2 + 1) / (N r^2) ln(1 + sqrt(N r^2 + 1) / (2 error))),   N = count
 *
 * This is the one-sided asymptotic confidence sequence with a normal mixture of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
 * sequences", Annals of Statistics 52 (2024), theorem 2.2 and its one-sided form. `r` makes the sequence tightest when `count` is `tightestAt`, which is to be chosen before looking.
 */
export const timeUniformWidth = (count: number, tightestAt: number, error: number): number => {
  const tail = -2 * Math.log(2 * error);
  const scaled = (count * (tail + Math.log(tail + 1))) / tightestAt;
  return Math.sqrt(((2 * (scaled + 1)) / scaled) * Math.log(1 + Math.sqrt(scaled + 1) / (2 * error)));
};
