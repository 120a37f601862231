import { expect, it } from 'vitest';
import { changedSince, disabledSince } from '../../../src/replay/evaluation/arms-of-period.ts';
import { takesAnything } from '../../../src/replay/interchange/arms-of-log.ts';

const [a, b, c] = [takesAnything('a'), takesAnything('b'), takesAnything('c')] as const;
const off = { ...b, enabled: false };

it('names arms that could be drawn and are disabled', () => {
  expect(disabledSince([a, b, c], ['a', 'b'])).toEqual([]);
  expect(disabledSince([a, off, c], ['a', 'c'])).toEqual([]);
  expect(disabledSince([a, off, c], ['a', 'b'])).toMatchObject([
    { code: 'arms_disabled', what: 'b could be drawn in the period, and is disabled at its end' },
  ]);
});

it('names each arm that was changed, and how', () => {
  const price = { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 };
  expect(changedSince([a, b], [{ ...a }, { ...b, lacks: [] }])).toEqual([]);
  expect(changedSince([a, b, c], [off, { ...c, price }, takesAnything('d'), { ...a, contextTokens: 8 }])).toMatchObject([
    {
      code: 'arms_changed',
      what: 'arms are configured otherwise than at the end of the period: b (disabled), c (another price), d (added), a (another model)',
    },
  ]);
  expect(changedSince([a, off], [b])[0]?.what).toContain('b (enabled), a (removed)');
  const many = Array.from({ length: 11 }, (_, i) => takesAnything(`n${i}`));
  expect(changedSince([], many)[0]?.what).toMatch(/n7 \(added\) and 3 more$/);
});
