/**
 * Gauss-Legendre quadrature on [-1, 1], with the matrix that integrates from each node to the right end. With m nodes the weights are exact for
 * polynomials up to degree 2m - 1, the matrix up to degree m - 1.
 * Source: Trefethen, Approximation Theory and Approximation Practice, ch. 17 and 19.
 */
export type Quadrature = {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
  /** Row k, column l at k * m + l: integral from node k to 1 of the polynomial that is 1 at node l and 0 at the others. */
  readonly toRightEnd: Float64Array;
};

export const gaussLegendre = (m: number): Quadrature => {
  const nodes = new Float64Array(m);
  const weights = new Float64Array(m);
  const values: Float64Array[] = [];
  for (let k = 0; k < m; k++) {
    let t = -Math.cos((Math.PI * (k + 0.75)) / (m + 0.5));
    for (let step = 0; step < 8; step++) t -= valueAt(t, m) / slopeAt(t, m);
    nodes[k] = t;
    weights[k] = 2 / ((1 - t * t) * slopeAt(t, m) ** 2);
    values.push(legendre(t, m));
  }
  const toRightEnd = new Float64Array(m * m);
  for (let k = 0; k < m; k++) {
    const primitive = integralsToRightEnd(nodes[k] ?? 0, m);
    for (let l = 0; l < m; l++) {
      let sum = 0;
      for (let p = m - 1; p >= 0; p--) sum += ((2 * p + 1) / 2) * (values[l]?.[p] ?? 0) * (primitive[p] ?? 0);
      toRightEnd[k * m + l] = (weights[l] ?? 0) * sum;
    }
  }
  return { nodes, weights, toRightEnd };
};

/** P_0(t) ... P_degree(t). */
const legendre = (t: number, degree: number): Float64Array => {
  const p = new Float64Array(degree + 1);
  p[0] = 1;
  p[1] = t;
  for (let n = 1; n < degree; n++) p[n + 1] = ((2 * n + 1) * t * (p[n] ?? 0) - n * (p[n - 1] ?? 0)) / (n + 1);
  return p;
};

const valueAt = (t: number, degree: number): number => legendre(t, degree)[degree] ?? 0;

const slopeAt = (t: number, degree: number): number => {
  const p = legendre(t, degree);
  return (degree * (t * (p[degree] ?? 0) - (p[degree - 1] ?? 0))) / (t * t - 1);
};

/** Integral of P_n from t to 1: (P_(n-1)(t) - P_(n+1)(t)) / (2n + 1), and 1 - t for n = 0. */
const integralsToRightEnd = (t: number, count: number): Float64Array => {
  const p = legendre(t, count + 1);
  return Float64Array.from({ length: count }, (_, n) => (n === 0 ? 1 - t : ((p[n - 1] ?? 0) - (p[n + 1] ?? 0)) / (2 * n + 1)));
};
