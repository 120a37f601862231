import type { EvaluationSettings } from '../replay/evaluation/report.ts';
import type { EvaluateOptions } from './evaluate.ts';

export const settingsOf = ({ alpha, seed, resamples, reward, price, rewardModel, force }: EvaluateOptions): EvaluationSettings => ({
  alpha,
  seed,
  resamples,
  weights: reward ?? null,
  prices: price ?? {},
  rewardModel,
  force: force === true,
});
