import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellCount, cellsOf } from '../../../../src/domain/routing/features/cells.ts';
import { requestKinds, signatureValues } from '../../../../src/events/schemas/features.ts';
import { ask } from './ask.ts';

describe('the cells of a request', () => {
  it('go from coarse to fine', () => {
    const features = { ...ask('Can penguins fly?'), opening: 35, ending: 200 };
    expect(cellsOf(features)).toEqual(['all', 'kind:yes-no-question', 'ending:yes-no-question:8']);
  });

  it('are as many as is said, and no more', () => {
    const cells = new Set<string>();
    const features = ask('Hi');
    for (const kind of requestKinds) {
      for (let value = 0; value < signatureValues.opening; value++) {
        for (const cell of cellsOf({ ...features, kind, opening: value, ending: value })) cells.add(cell);
      }
    }
    expect(cells.size).toBe(cellCount);
    expect(cellCount).toBe(595);
    for (const cell of cells) expect(cell).toMatch(/^(?:all|kind:[a-z-]{1,32}|ending:[a-z-]{1,32}:[0-9]{1,2})$/);
  });

  it('spread texts over all signatures', () => {
    const openings = new Set<number>();
    const endings = new Set<number>();
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), minLength: 1, maxLength: 6 }), {
          minLength: 4,
          maxLength: 8,
        }),
        (words) => {
          const { opening, ending } = ask(words.join(' '));
          openings.add(opening);
          endings.add(ending);
        },
      ),
      { seed: 34, numRuns: 3_000 },
    );
    expect(openings.size).toBeGreaterThan(250);
    expect(endings.size).toBeGreaterThan(250);
  });
});
