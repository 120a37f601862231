import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prevailing } from '../../../src/domain/reward/judgement.ts';
import type { FeedbackKind } from '../../../src/events/index.ts';

const byRank: readonly FeedbackKind[] = ['measured', 'thumb', 'score', 'outcome'];

describe('what stands', () => {
  it('is whatever comes first, over how the answer ended', () => {
    for (const kind of byRank) expect(prevailing(kind, undefined)).toBe(kind);
  });

  it.each(byRank.flatMap((low, i) => byRank.slice(i + 1).map((high) => [low, high] as const)))(
    '%s gives way to %s, in either order',
    (low, high) => {
      expect(prevailing(high, low)).toBe(high);
      expect(prevailing(low, high)).toBe(high);
    },
  );

  it('of many in any order is one of the highest kind among them', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...byRank), { minLength: 1 }), (kinds) => {
        const last = kinds.reduce<FeedbackKind | undefined>((standing, kind) => prevailing(kind, standing), undefined);
        expect(last).toBe(byRank.findLast((kind) => kinds.includes(kind)));
      }),
      { seed: 53 },
    );
  });
});
