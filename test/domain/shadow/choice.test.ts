import { describe, expect, it } from 'vitest';
import { chooseShadow } from '../../../src/domain/shadow/choice.ts';
import { tenantSchema } from '../../../src/events/index.ts';

const tenant = tenantSchema.parse('default');
const decision = (delivered: string, ...arms: readonly string[]) => ({
  arm: delivered,
  candidates: arms.map((arm) => ({ arm, model: `model-${arm}` })),
});
const four = decision('b', 'a', 'b', 'c', 'd');
const requests = Array.from({ length: 10_000 }, (_, i) => ({ tenant, requestId: `request-${i}` }));
const chosen = (share: number, of = four) =>
  requests.flatMap((request) => {
    const choice = chooseShadow(request, share, of);
    return choice.kind === 'chosen' ? [{ ...request, ...choice }] : [];
  });

describe('which requests have a shadow', () => {
  it.each([0.05, 0.3, 0.5, 0.9])('a share of %f, over 10,000 requests, within 1.5 points', (share) => {
    expect(Math.abs(chosen(share).length / requests.length - share)).toBeLessThan(0.015);
  });

  it('none at 0, all at 1', () => {
    expect(chosen(0)).toHaveLength(0);
    expect(chosen(1)).toHaveLength(10_000);
  });

  it('is the same choice for the same request, and another one for another tenant', () => {
    expect(chosen(0.3)).toEqual(chosen(0.3));
    const other = tenantSchema.parse('acme');
    const kinds = (of: typeof tenant) =>
      requests.slice(0, 200).map(({ requestId }) => chooseShadow({ tenant: of, requestId }, 0.3, four).kind);
    expect(kinds(other)).not.toEqual(kinds(tenant));
  });

  it('a smaller share is part of a larger one: a changed share keeps what it can', () => {
    const more = new Set(chosen(0.5).map(({ requestId }) => requestId));
    expect(chosen(0.3).every(({ requestId }) => more.has(requestId))).toBe(true);
  });
});

describe('which arm it goes to', () => {
  it('each of the others alike, and never the delivered one: chi-square below its 99.9 % point for two degrees of freedom', () => {
    const all = chosen(0.3);
    const counts = new Map(['a', 'c', 'd'].map((arm) => [arm, all.filter((choice) => choice.arm === arm).length]));
    expect(counts.values().reduce((sum, n) => sum + n, 0)).toBe(all.length);
    const expected = all.length / 3;
    expect(counts.values().reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)).toBeLessThan(13.82);
    expect(new Set(all.map(({ propensity }) => propensity))).toEqual(new Set([1 / 3]));
    expect(all.every(({ arm, model }) => model === `model-${arm}`)).toBe(true);
  });

  it('does not depend on whether the share is small: the two draws are two numbers', () => {
    const share = (of: number) => {
      const all = chosen(of);
      return all.filter(({ arm }) => arm === 'a').length / all.length;
    };
    for (const of of [0.1, 0.3, 1]) expect(Math.abs(share(of) - 1 / 3)).toBeLessThan(0.05);
  });

  it('there is none where the decision had one candidate', () => {
    expect(chooseShadow({ tenant, requestId: 'r' }, 1, decision('a', 'a'))).toEqual({ kind: 'no-second-arm' });
  });

  it('is the only other of two', () => {
    expect(chosen(1, decision('a', 'a', 'b')).every(({ arm, propensity }) => arm === 'b' && propensity === 1)).toBe(true);
  });
});
