import type { BetaDensity } from './beta-density.ts';

/**
 * Cuts the logit line into panels on each of which the integrand is close to a polynomial of low degree. Where the curvature n x (1 - x) of the log density is 1 or
 * more, a panel spans some local standard deviations. In the tails, where it is below 1, a density is nearly exponential: there panels grow with the
 * distance from the bend and end where the fastest has fallen by some powers of e.
 *
 * The largest of K equal variables is narrower than one of them by about sqrt(2 ln K), and so are the panels.
 */
const deviationsFor = (arms: number): number => Math.min(2.6, 4.4 / Math.sqrt(2 * Math.log(arms)));

/** Ascending edges from `from` to the highest upper end; every arm reaches beyond `from`. */
export const panelEdges = (arms: readonly BetaDensity[], from: number, narrowing = 1): readonly number[] => {
  const to = arms.reduce((highest, arm) => Math.max(highest, arm.upper), from);
  // Curvature is largest at logit 0 and falls on both sides: walking outwards, the width allowed at the near edge is allowed on the whole panel.
  const start = Math.min(Math.max(0, from), to);
  const deviations = deviationsFor(arms.length) / narrowing;
  return [...walk(arms, start, from, deviations).reverse(), start, ...walk(arms, start, to, deviations)];
};

const walk = (arms: readonly BetaDensity[], start: number, end: number, deviations: number): number[] => {
  const direction = end < start ? -1 : 1;
  const edges: number[] = [];
  let y = start;
  while (y !== end) {
    const next = y + direction * widthAt(arms, y, direction, deviations);
    y = direction * (end - next) > 0 ? next : end;
    edges.push(y);
  }
  return edges;
};

/** Width of the panel that begins at y and leads away from logit 0. */
const widthAt = (arms: readonly BetaDensity[], y: number, direction: 1 | -1, deviations: number): number => {
  const odds = Math.exp(-Math.abs(y));
  const variance = odds / (1 + odds) ** 2;
  const x = (y > 0 ? 1 : odds) / (1 + odds);
  let width = Infinity;
  for (const arm of arms) {
    const toBegin = direction > 0 ? arm.lower - y : y - arm.upper;
    const toEnd = direction > 0 ? arm.upper - y : y - arm.lower;
    if (toEnd <= 0) continue;
    // An arm that begins farther out is no hindrance until there.
    width = Math.min(width, Math.max(toBegin, deviations * bendingWidth(arm.total * variance, arm.alpha - arm.total * x)));
  }
  return width;
};

/** In units of one standard deviation, from the second and the first derivative of the log density. */
const bendingWidth = (curvature: number, slope: number): number =>
  curvature >= 1 ? 1 / Math.sqrt(curvature) : Math.min(1 - Math.log(curvature) / 2, 2 / Math.abs(slope));
