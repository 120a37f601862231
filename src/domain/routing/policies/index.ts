import type { PolicySpec } from '../../../events/index.ts';
import { betaThompsonPolicy } from './beta-thompson.ts';
import { complexityPolicy } from './complexity.ts';
import { contextualThompsonPolicy } from './contextual-thompson.ts';
import { epsilonGreedyPolicy } from './epsilon-greedy.ts';
import type { Policy } from './policy.ts';
import { staticPolicy } from './static.ts';

export const policyFrom = (spec: PolicySpec): Policy => {
  switch (spec.kind) {
    case 'static':
      return staticPolicy(spec);
    case 'epsilon-greedy':
      return epsilonGreedyPolicy(spec);
    case 'complexity':
      return complexityPolicy(spec);
    case 'beta-bernoulli-thompson':
      return betaThompsonPolicy(spec);
    case 'contextual-thompson':
      return contextualThompsonPolicy(spec);
  }
};
