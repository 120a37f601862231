import { PermanentError } from '../errors.ts';

/** As many digits as probabilities are written with elsewhere. */
const tolerance = 1e-6;

/** What is divided by, and drawn from, must be probabilities: each from 0 to 1, and together 1. Throws PermanentError `data-invalid`. */
export const requireDistribution = (propensities: ArrayLike<number>, sequence: number, from = 0, to = propensities.length): void => {
  let sum = 0;
  let areProbabilities = true;
  for (let i = from; i < to; i++) {
    const propensity = propensities[i] ?? NaN;
    sum += propensity;
    if (!(propensity >= 0 && propensity <= 1)) areProbabilities = false;
  }
  if (areProbabilities && Math.abs(sum - 1) <= tolerance) return;
  throw new PermanentError(
    'data-invalid',
    `decision at sequence ${sequence}: expected propensities of the candidates from 0 to 1 that sum to 1, got ${Array.from({ length: Math.min(8, to - from) }, (_, i) => propensities[from + i]).join(', ')}${to - from > 8 ? ', ...' : ''} (sum ${sum}); ./switchyard reconcile finds what was changed`,
  );
};
