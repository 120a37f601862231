import { describe, expect, it } from 'vitest';
import { bernsteinInterval, bernsteinLower, studentInterval, studentLower, studentWidth } from '../../../src/domain/evaluation/bounds.ts';

/** Of 0.2, -0.4, 1.7, 3.1, 0.9. */
const five = { count: 5, mean: 1.1, variance: 1.492 };

describe('bounds', () => {
  it('of five terms, as numpy and scipy compute them', () => {
    expect(studentLower(five, 0.05)).toBeCloseTo(-0.201_998_263_707_936_28, 13);
    expect(bernsteinLower(five, 0.05, 3.5)).toBeCloseTo(-8.090_348_614_193_585, 13);
  });

  it('of both sides share the error', () => {
    expect(studentInterval(five, 0.1).low).toBe(studentLower(five, 0.05));
    expect(studentInterval(five, 0.1).high).toBeCloseTo(2.401_998_263_707_936_2, 13);
    expect(bernsteinInterval(five, 0.1, 3.5).low).toBe(bernsteinLower(five, 0.05, 3.5));
    expect(bernsteinInterval(five, 0.1, 3.5).high - 1.1).toBeCloseTo(1.1 - bernsteinLower(five, 0.05, 3.5), 13);
  });

  it('of less than two terms are nothing, of terms all alike what the method says', () => {
    const one = { count: 1, mean: 3, variance: 0 };
    expect([studentLower(one, 0.05), bernsteinLower(one, 0.05, 1)]).toEqual([-Infinity, -Infinity]);
    expect(studentInterval(one, 0.05)).toEqual({ low: -Infinity, high: Infinity });
    const alike = { count: 101, mean: 3, variance: 0 };
    expect(studentWidth(alike, 0.05)).toBe(0);
    expect(bernsteinLower(alike, 0.05, 2)).toBeCloseTo(3 - (14 * Math.log(40)) / 300, 14);
  });
});
