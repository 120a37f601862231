import { describe, expect, it } from 'vitest';
import { gaussLegendre } from '../../../src/domain/routing/gauss-legendre.ts';

describe('Gauss-Legendre quadrature', () => {
  it('has the nodes and weights of the tables (Abramowitz and Stegun 25.4.30, n = 5)', () => {
    const { nodes, weights } = gaussLegendre(5);
    [-0.906179845938664, -0.538469310105683, 0, 0.538469310105683, 0.906179845938664].forEach((node, k) => {
      expect(nodes[k]).toBeCloseTo(node, 14);
    });
    [0.236926885056189, 0.478628670499366, 0.568888888888889, 0.478628670499366, 0.236926885056189].forEach((weight, k) => {
      expect(weights[k]).toBeCloseTo(weight, 14);
    });
  });

  it('integrates powers exactly: whole up to 2m - 1, from a node to the right end up to m - 1', () => {
    const m = 12;
    const { nodes, weights, toRightEnd } = gaussLegendre(m);
    for (let power = 0; power < 2 * m; power++) {
      const whole = nodes.reduce((sum, t, k) => sum + weights[k]! * t ** power, 0);
      expect(whole).toBeCloseTo((1 - (-1) ** (power + 1)) / (power + 1), 14);
      if (power >= m) continue;
      nodes.forEach((from, k) => {
        const partial = nodes.reduce((sum, t, l) => sum + toRightEnd[k * m + l]! * t ** power, 0);
        expect(partial).toBeCloseTo((1 - from ** (power + 1)) / (power + 1), 13);
      });
    }
  });
});
