import type { RewardWeights } from '../../domain/reward/reward.ts';
import type { RewardEvidence } from '../../domain/routing/sums.ts';
import { PermanentError } from '../../errors.ts';
import { sequence, type DataOf, type Tenant } from '../../events/index.ts';
import { requireDistribution } from '../distribution.ts';
import { featuresAt } from '../feature-columns.ts';
import { at, type BriefPage } from './brief-page.ts';
import type { BriefDecision, BriefReward } from './brief.ts';
import { interning } from '../interning.ts';

/** The event in a row of a page, which must be one of that type. */
export type BriefEvents = {
  readonly decisionAt: (page: BriefPage, row: number) => BriefDecision;
  readonly rewardAt: (page: BriefPage, row: number) => BriefReward;
};

/**
 * Rows of columns to events. The rows were checked when they were events; here only what would silently make other probabilities of them is looked at. One for all pages of a reading: what comes again and again is
 * one object throughout.
 */
export const briefEvents = (): BriefEvents => {
  const armsOf = interning((text) => JSON.parse(text) as readonly string[]);
  const needsOf = interning((text) => JSON.parse(text) as DataOf<'route.decided'>['needs']);
  const cellsOf = interning((text) => JSON.parse(text) as readonly string[]);
  const weightsOf = interning(weightsIn);
  return {
    decisionAt: (page, row) => {
      const { numbers, texts } = page;
      const tenant = at(texts.tenant, row) as Tenant;
      const decidedAt = moment(at(numbers.decidedAtMs, row));
      return {
        type: 'route.decided',
        id: at(texts.id, row),
        tenant,
        correlationid: at(texts.requestId, row),
        time: decidedAt,
        data: {
          arm: at(texts.arm, row),
          propensity: at(numbers.propensity, row),
          policy: { id: at(texts.policyId, row), version: at(texts.policyVersion, row) },
          stateSequence: sequence(at(numbers.stateSequence, row)),
          requestedModel: at(texts.requestedModel, row),
          features: featuresAt(page.features, row, tenant),
          maxOutputTokens: at(numbers.maxOutputTokens, row),
          needs: needsOf(at(texts.needs, row)),
          weights: weightsOf(at(texts.weights, row)),
          conversation: conversationAt(page, row),
          draw: at(numbers.draw, row),
          decidedAt,
          pacing: {
            usdPerRequest: orNull(at(numbers.usdPerRequest, row)),
            latencyTargetMs: orNull(at(numbers.latencyTargetMs, row)),
          },
          candidates: candidatesAt(page, row, armsOf(at(texts.arms, row))),
        },
      };
    },
    rewardAt: (page, row) => {
      const { numbers, texts } = page;
      const trial = at(numbers.trial, row);
      const decidedAt = moment(at(numbers.decidedAtMs, row));
      return {
        type: 'reward.recorded',
        tenant: at(texts.tenant, row) as Tenant,
        correlationid: at(texts.requestId, row),
        time: decidedAt,
        data: {
          arm: at(texts.arm, row),
          cause: at(texts.cause, row) as BriefReward['data']['cause'],
          revision: at(numbers.revision, row),
          cells: cellsOf(at(texts.cells, row)),
          policy: at(texts.policyId, row) === '' ? null : { canary: at(numbers.canary, row) === 1, trial: orNull(trial) },
          decidedAt,
          evidence: evidenceAt(page, row),
        },
      };
    },
  };
};

const weightsIn = (text: string): RewardWeights => {
  const [success = 0, streaming = 0, cache = 0, cost = 0] = JSON.parse(text) as readonly number[];
  return { success, streaming, cache, cost };
};

/** As events have it. */
const moment = (ms: number): string => new Date(ms).toISOString();

/** 0 stands for none. */
const orNull = (value: number): number | null => (value === 0 ? null : value);

const conversationAt = ({ texts }: BriefPage, row: number): BriefDecision['data']['conversation'] => {
  const id = at(texts.conversation, row);
  if (id === '') return null;
  const previousArm = at(texts.previousArm, row);
  return { id, previousArm: previousArm === '' ? null : previousArm };
};

const candidatesAt = ({ numbers, propensities }: BriefPage, row: number, arms: readonly string[]): BriefDecision['data']['candidates'] => {
  const { offsets, values } = propensities;
  const begin = at(offsets, row);
  const count = at(offsets, row + 1) - begin;
  if (arms.length !== count)
    throw new PermanentError(
      'data-invalid',
      `decision at sequence ${at(numbers.sequence, row)}: expected a propensity for each candidate, got ${arms.length} candidates and ${count} propensities; ./switchyard reconcile finds what was changed`,
    );
  requireDistribution(values, at(numbers.sequence, row), begin, begin + count);
  return arms.map((arm, i) => ({ arm, propensity: at(values, begin + i) }));
};

const evidenceAt = ({ numbers }: BriefPage, row: number): RewardEvidence => ({
  trials: at(numbers.trials, row),
  measured: at(numbers.measured, row),
  failures: at(numbers.failures, row),
  success: at(numbers.success, row),
  streaming: at(numbers.streaming, row),
  cache: at(numbers.cache, row),
  cost: at(numbers.cost, row),
  successSquare: at(numbers.successSquare, row),
  streamingSquare: at(numbers.streamingSquare, row),
  cacheSquare: at(numbers.cacheSquare, row),
  costSquare: at(numbers.costSquare, row),
  costNanoUsd: at(numbers.costNanoUsd, row),
  spendSquare: at(numbers.spendSquare, row),
  latencyMs: at(numbers.latencyMs, row),
  promptTokens: at(numbers.promptTokens, row),
  completionTokens: at(numbers.completionTokens, row),
});
