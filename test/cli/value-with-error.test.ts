import { expect, it } from 'vitest';
import { valueWithError } from '../../src/cli/value-with-error.ts';

it.each([
  ['failureRate', 0.00111, 0.0004, '0.111 ± 0.040 %'],
  ['failureRate', 0.0000191, 0.0004, '0.002 ± 0.040 %'],
  ['reward', 0.70234, 0.0109, '0.702 ± 0.011'],
  ['costUsd', 0.0000231, 0.0000012, '$0.0000231 ± 0.0000012'],
  ['latencyMs', 812.4, 21, '812 ± 21 ms'],
  ['latencyMs', 100, null, '100 ±? ms'],
  ['latencyMs', 100, 0, '100 ms'],
  ['costUsd', 0.000561, null, '$0.000561 ±?'],
  ['costUsd', 0.000561, 0.0012, '$0.000561 ± 0.001200'],
  ['reward', -0.00001, 0.01, '-0.000010 ± 0.010'],
  ['reward', -1e-17, 0.01, '0.000 ± 0.010'],
  ['reward', 0, 0, '0'],
  ['reward', undefined, null, ''],
] as const)('shows %s %d with the digits that its error %d leaves', (quantity, value, error, text) => {
  expect(valueWithError(quantity, value, error)).toBe(text);
});
