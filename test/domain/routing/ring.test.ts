import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRing } from '../../../src/domain/routing/ring.ts';

it('a ring gives back what came first, like an array', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 3, arbitrary: fc.nat() }, { weight: 2, arbitrary: fc.constant('shift' as const) }), { maxLength: 300 }),
      (steps) => {
        const ring = createRing<number>();
        const model: number[] = [];
        for (const step of steps) {
          if (step === 'shift') expect(ring.shift()).toBe(model.shift());
          else {
            ring.push(step);
            model.push(step);
          }
          expect(ring.size()).toBe(model.length);
          expect(ring.first()).toBe(model[0]);
        }
      },
    ),
    { seed: 41 },
  );
});
