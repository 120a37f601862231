import fc from 'fast-check';
import { expect, it } from 'vitest';
import { holmAdjusted } from '../../../src/domain/comparison/holm.ts';

it('is what R computes: p.adjust(c(0.01, 0.02, 0.03, 0.005), "holm")', () => {
  expect(holmAdjusted([0.01, 0.02, 0.03, 0.005]).map((p) => p?.toFixed(12))).toEqual([0.03, 0.04, 0.04, 0.02].map((p) => p.toFixed(12)));
});

it('leaves out tests that could not be made', () => {
  expect(holmAdjusted([null, 0.02, null, 0.9])).toEqual([null, 0.04, null, 0.9]);
  expect(holmAdjusted([])).toEqual([]);
});

it('never lowers a p value, never exceeds 1 and keeps the order', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }), (values) => {
      const adjusted = holmAdjusted(values).map(Number);
      values.forEach((p, i) => {
        expect(adjusted[i]).toBeGreaterThanOrEqual(p);
        expect(adjusted[i]).toBeLessThanOrEqual(1);
        values.forEach((q, j) => {
          if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? 0);
        });
      });
    }),
    { seed: 4 },
  );
});
