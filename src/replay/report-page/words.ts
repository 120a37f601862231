import type { Guarantee, QuantityName, Verdict } from '../evaluation/report.ts';

/** What things are called on the page. */
export const quantityWords: Readonly<Record<QuantityName, { readonly title: string; readonly meaning: string }>> = {
  reward: { title: 'Reward', meaning: 'weighted sum of the four parts, 0 to 1' },
  success: { title: 'Success', meaning: 'part of the reward: did the answer do, 0 to 1' },
  streaming: { title: 'Streaming', meaning: 'part of the reward: how soon and how evenly text came, 0 to 1' },
  cache: { title: 'Cache', meaning: 'part of the reward: did the answer enter the cache, 0 to 1' },
  cost: { title: 'Cost score', meaning: 'part of the reward: how little it cost, 0 to 1' },
  costUsd: { title: 'Cost', meaning: 'dollars a request' },
  latencyMs: { title: 'Latency', meaning: 'milliseconds a request' },
  failureRate: { title: 'Failure rate', meaning: 'share of requests that failed' },
};

export const guaranteeWords: Readonly<Record<Guarantee, { readonly name: string; readonly promise: string }>> = {
  anytime: {
    name: 'anytime',
    promise:
      'holds for any number of records and at all times at once, also while the logging policy learns. You may look as often as you like. It is for the requests of this period: conversations to come may differ.',
  },
  asymptotic: {
    name: 'asymptotic',
    promise:
      'holds at all times at once, also while the logging policy learns, but only in the limit: with few records its level is approximate.',
  },
  'fixed-size': {
    name: 'fixed size',
    promise:
      'holds at one number of records that was chosen beforehand, for many independent records. Not after looking repeatedly, and not for a logging policy that learns from them.',
  },
};

/** From the strongest promise to the weakest. */
export const guarantees: readonly Guarantee[] = ['anytime', 'asymptotic', 'fixed-size'];

/** `mark`: tells verdicts apart without colour. */
export const verdictWords: Readonly<Record<Verdict['kind'], { readonly label: string; readonly mark: string; readonly style: string }>> = {
  better: { label: 'Better', mark: '▲', style: 'better' },
  worse: { label: 'Worse', mark: '▼', style: 'worse' },
  'cannot tell': { label: 'Cannot tell', mark: '◆', style: 'unsure' },
  refused: { label: 'Refused', mark: '✕', style: 'refused' },
};

export const methodWords = {
  fixed: 'as a fixed policy',
  'rejection-replay': 'by replay with rejection',
  'doubly-robust-replay': 'by doubly robust replay',
} as const;

export const rewardModelWords = {
  past: 'learns from the past: each record is predicted from those before it',
  'cross-fitted': 'cross-fitted: each record is predicted from the other folds',
  'in-sample': 'in-sample: each record is predicted from all, itself too',
  none: 'none: estimators that need one are left out',
} as const;
