import { policySpecSchema, type PolicySpecInput } from '../../../src/events/schemas/policy.ts';
import type { RequestFeaturesV2 } from '../../../src/events/schemas/features.ts';
import { addEvidence, type Evidence } from '../../../src/domain/routing/evidence.ts';
import { sumsOf, type RewardEvidence } from '../../../src/domain/routing/sums.ts';
import { policyFrom } from '../../../src/domain/routing/policies/index.ts';
import type { SpecOf } from '../../../src/domain/routing/policies/policy.ts';
import { named, type PolicyContent } from '../../../src/domain/routing/policy-version.ts';
import type { DecidingPolicy } from '../../../src/domain/routing/router.ts';
import { tickMs } from '../../../src/domain/routing/time-blocks.ts';
import { evidenceOf, tenant, weights } from './events.ts';

/** Evidence, policies and requests in their usual form; tests say only what matters to them. */

/** A moment in ticks: 1 January 2026, some of them later. */
export const startTick = Math.ceil(Date.UTC(2026, 0, 1) / tickMs);
export const atTick = (ticks: number): number => (startTick + ticks) * tickMs;

export const successOnly = { success: 1, streaming: 0, cache: 0, cost: 0 };

export const request: RequestFeaturesV2 = {
  version: 2,
  tenant,
  promptCharacters: 40,
  promptTokensEstimate: 10,
  messageCount: 1,
  conversationDepth: 1,
  hasSystemPrompt: false,
  lastMessageCharacters: 40,
  hasCode: false,
  hasMathematics: false,
  isQuestion: true,
  language: 'en',
  kind: 'short-question',
  complexity: 0.2,
  requestedTokens: 0,
  requestedFormat: 'text',
  opening: 7,
  ending: 9,
  system: null,
};

type Learned = Partial<RewardEvidence> & {
  /** The success part, 0 to 1. */
  readonly reward?: number;
  readonly ticks?: number;
  readonly cells?: readonly string[];
  readonly times?: number;
};

/** Adds rewards that are worth nothing but for their success. Changes `evidence`. */
export const learn = (evidence: Evidence, arm: string, given: Learned): Evidence => {
  const { reward = 0, ticks = 0, cells = ['all'], times = 1, ...measures } = given;
  const own = evidenceOf({ success: Math.round(reward * 1_000_000), streaming: 0, cache: 0, cost: 0 });
  for (let i = 0; i < times; i++) addEvidence(evidence, arm, cells, atTick(ticks), sumsOf({ ...own, ...measures }));
  return evidence;
};

export const specOf = <Kind extends PolicySpecInput['kind']>(spec: Extract<PolicySpecInput, { kind: Kind }>): SpecOf<Kind> =>
  policySpecSchema.parse(spec) as SpecOf<Kind>;

export const armOf = (arm: string, changes: Partial<PolicyContent['arms'][number]> = {}): PolicyContent['arms'][number] => ({
  arm,
  model: `model-of-${arm}`,
  enabled: true,
  contextTokens: 8_000,
  price: null,
  lacks: [],
  ...changes,
});

/** A policy that remembers for ever, tries nobody and has no floor, but for what is said. */
export const contentOf = (spec: PolicySpecInput, arms: readonly PolicyContent['arms'][number][]): PolicyContent =>
  named({ spec: policySpecSchema.parse({ floor: 0, trial: { requests: 0, share: 0 }, ...spec }), weights, arms: [...arms] });

export const deciding = (content: PolicyContent): DecidingPolicy => ({
  content,
  rule: policyFrom(content.spec),
  canary: false,
  trial: null,
});
