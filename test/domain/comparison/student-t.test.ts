import { expect, it } from 'vitest';
import { studentQuantile, studentTail } from '../../../src/domain/comparison/student-t.ts';

// mpmath with 40 digits.
it.each([
  [2, 0.1, 2.919_985_580_353_725_6],
  [2, 1e-8, 9_999.999_925],
  [9, 0.01, 3.249_835_541_592_126_3],
  [9, 1e-8, 19.782_179_065_364_79],
  [999, 0.1, 1.646_380_345_427_535_6],
  [999, 1e-8, 5.779_617_250_033_874],
  [9_999, 0.1, 1.645_006_033_311_299_5],
  [9_999, 0.01, 2.576_321_095_856_598],
  [9_999, 1e-8, 5.735_581_266_585_504],
  [100_001, 0.1, 1.644_868_864_632_591_5],
  [100_001, 1e-8, 5.731_213_736_354_747],
  [1e7, 0.1, 1.644_853_779_328_401_7],
  [1e7, 1e-8, 5.730_733_716_616_013_5],
  [1e12, 0.01, 2.575_829_303_553_817_3],
])('with %d degrees of freedom the quantile of %d is right to twelve digits', (degrees, tail, quantile) => {
  expect(Math.abs(studentQuantile(tail, degrees) / quantile - 1)).toBeLessThan(1e-12);
});

it('two ways to the same tail meet at 10,000 degrees of freedom, in far tails too', () => {
  for (const t of [0.1, 1, 3, 6, 20, 30]) {
    // What one degree in 10,000 changes, to first order: t^4 / (4 nu^2) of the tail.
    const change = studentTail(t, 10_000.000_001) / studentTail(t, 10_000) - 1;
    expect(Math.abs(change), `t = ${t}`).toBeLessThan(1e-8);
  }
});
