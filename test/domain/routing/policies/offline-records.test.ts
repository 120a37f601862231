import { expect, it } from 'vitest';
import { cellsOf } from '../../../../src/domain/routing/features/cells.ts';
import { extractFeatures } from '../../../../src/domain/routing/features/extract.ts';
import { offlineTally } from '../../../../src/domain/routing/policies/offline-records.ts';
import { tenantSchema } from '../../../../src/events/index.ts';

const asked = (content: string) => [{ role: 'user', content }];
/** What the router files such a request under. */
const filed = (content: string) =>
  cellsOf(extractFeatures({ messages: asked(content), parameters: { max_tokens: 10 }, tenant: tenantSchema.parse('acme') }));

it('counts a record in each cell that a live request with these messages is filed under', () => {
  const translation = 'Translate to French: good morning';
  const poem = 'Write a poem about the sea';
  const tally = offlineTally(2);
  tally.add({ arm: 'small', messages: asked(translation), reward: 1 });
  tally.add({ arm: 'small', messages: asked(translation), reward: 0.5 });
  tally.add({ arm: 'small', messages: asked(poem), reward: 0.1 });
  tally.add({ arm: 'large', messages: asked(poem), reward: 0.9 });
  const [all, kindOfTranslation, endingOfTranslation] = filed(translation);
  const [, kindOfPoem, endingOfPoem] = filed(poem);
  const small = (cell: string | undefined, trials: number, reward: number) => ({ arm: 'small', cell, trials, reward });
  const large = (cell: string | undefined) => ({ arm: 'large', cell, trials: 1, reward: 0.9 });
  expect(tally.arms()).toBe(2);
  // Coarse before fine, many before few.
  expect(tally.cells()).toEqual([
    small(all, 3, 0.533333),
    large(all),
    small(kindOfTranslation, 2, 0.75),
    large(kindOfPoem),
    small(kindOfPoem, 1, 0.1),
    small(endingOfTranslation, 2, 0.75),
    large(endingOfPoem),
    small(endingOfPoem, 1, 0.1),
  ]);
});

it('takes no more arms than it is told, and counts on for those it has', () => {
  const tally = offlineTally(1);
  const record = { messages: asked('hello'), reward: 1 };
  expect(tally.add({ ...record, arm: 'small' })).toBe(true);
  expect(tally.add({ ...record, arm: 'large' })).toBe(false);
  expect(tally.add({ ...record, arm: 'small' })).toBe(true);
  expect(tally.cells()[0]).toEqual({ arm: 'small', cell: 'all', trials: 2, reward: 1 });
});
