import { everyRequest } from '../evidence.ts';
import { betaPosterior } from './beta-thompson.ts';
import { remembering } from './remembering.ts';
import type { Policy, SpecOf } from './policy.ts';

/** The arm of the highest mean, and with probability epsilon any arm, all alike (Sutton and Barto, chapter 2). Equal means share. */
export const epsilonGreedyPolicy = (spec: SpecOf<'epsilon-greedy'>): Policy => {
  const memory = remembering(spec.memory, [everyRequest]);
  return {
    weigh: (question, evidence) => {
      const posteriors = question.candidates.map((arm) =>
        betaPosterior(memory.recall(evidence, arm, [everyRequest], question)[0], spec.prior, question.weights),
      );
      const values = posteriors.map(({ alpha, beta }, i) => alpha / (alpha + beta) + (question.adjustments[i] ?? 0));
      const best = Math.max(...values);
      const leaders = values.filter((value) => value === best).length;
      return {
        posteriors: posteriors.map((beta) => ({ family: 'beta', ...beta })),
        shares: values.map((value) => spec.epsilon / values.length + (value === best ? (1 - spec.epsilon) / leaders : 0)),
      };
    },
  };
};
