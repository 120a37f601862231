import type { Config } from '../config/schema.ts';
import type { FeedbackTerms } from '../domain/routing/ledger-questions.ts';
import type { Tenant } from '../events/index.ts';
import { rewardConfigOf } from './host-parts.ts';

const dayMs = 86_400_000;

export const feedbackTermsOf = (config: Config, tenant: Tenant): FeedbackTerms => ({
  weights: rewardConfigOf(config, tenant).weights,
  requestWaitMs: config.feedback.requestWaitSeconds * 1_000,
  maxAgeMs: config.feedback.maxAgeDays * dayMs,
});
