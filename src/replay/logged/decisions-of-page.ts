/* eslint-disable @typescript-eslint/no-non-null-assertion -- all columns of a page are as long as it has rows, and these functions run for every record */
import { cellsFor } from '../../domain/routing/filing.ts';
import type { RewardWeights } from '../../domain/reward/reward.ts';
import { PermanentError } from '../../errors.ts';
import type { RecordedFeatures, Tenant } from '../../events/index.ts';
import { featuresAt } from '../feature-columns.ts';
import { requireDistribution } from '../distribution.ts';
import { interning } from '../interning.ts';
import { listAt, microAt, noWeights, weightsAt, type DecisionPage } from './decision-page.ts';
import { contradicts, type LoggedDecision, type Outcome } from './logged-decision.ts';

/**
 * The decisions in rows `from` up to, not including, `to` of a page. The rows were checked when they were events; here only what an estimate would silently be wrong by is looked at: propensities. Lists, texts and weights that
 * come again and again are made once.
 */
export const openDecisions = (page: DecisionPage): ((from: number, to: number) => readonly LoggedDecision[]) => {
  const shared = { arms: interning(listOf), broken: interning(listOf), needs: interning(listOf) };
  let weights = noWeights;
  return (from, to) => {
    const decisions: LoggedDecision[] = [];
    for (let i = from; i < Math.min(to, page.rows); i++) {
      weights = weightsAt(page, i, weights);
      decisions.push(decisionAt(page, i, weights, shared));
    }
    return decisions;
  };
};

type Shared = Readonly<Record<'arms' | 'broken' | 'needs', (text: string) => readonly string[]>>;

const decisionAt = (page: DecisionPage, i: number, weights: RewardWeights, shared: Shared): LoggedDecision => {
  const tenant = page.tenant[i]! as Tenant;
  const id = page.id[i]!;
  const arm = page.arm[i]!;
  const candidates = { arms: shared.arms(page.arms[i]!), propensities: listAt(page.propensities, i) };
  const propensity = propensityOf(page.propensity[i]!, page.sequence[i]!);
  check(arm, propensity, candidates, page.sequence[i]!);
  const features = featuresOf(page, i, tenant);
  const decidedAtMs = page.decidedAtMs[i]!;
  const conversation = page.conversation[i]!;
  return {
    id,
    atMs: page.atMs[i]!,
    tenant,
    cluster: conversation === '' ? id : conversation,
    policy: page.policy[i]!,
    arm,
    propensity,
    candidates,
    cells: cellsFor(features),
    context: {
      kind: 'request',
      input: {
        tenant,
        requestedModel: page.requestedModel[i]!,
        features,
        maxOutputTokens: page.maxOutputTokens[i]!,
        needs: shared.needs(page.needs[i]!) as ('tools' | 'json' | 'images')[],
        weights,
        budget: { usdPerRequest: orNull(page.usdPerRequest[i]!), latencyTargetMs: orNull(page.latencyTargetMs[i]!) },
        conversation:
          conversation === '' ? null : { id: conversation, previousArm: page.previousArm[i]! === '' ? null : page.previousArm[i]! },
        decidedAtMs: decidedAtMs < 0 ? null : decidedAtMs,
      },
      draw: page.draw[i]!,
      stateSequence: page.stateSequence[i]!,
      moment: {
        brokenArms: shared.broken(page.brokenArms[i]!),
        rewardPerUsd: page.rewardPerUsd[i]!,
        rewardPerSecond: page.rewardPerSecond[i]!,
      },
    },
    outcome: page.revisions[i]! === 0 || page.interrupted[i]! === 1 ? null : outcomeAt(page, i, weights),
  };
};

const million = 1_000_000;

const check = (
  arm: string,
  propensity: number,
  { arms, propensities }: NonNullable<LoggedDecision['candidates']>,
  sequence: number,
): void => {
  const place = arms.indexOf(arm);
  if (place === -1 || arms.length !== propensities.length)
    throw new PermanentError(
      'no_propensities',
      `decision at sequence ${sequence}: expected the chosen arm "${arm}" among candidates with a propensity each, got ${arms.length} candidates and ${propensities.length} propensities`,
    );
  requireDistribution(propensities, sequence);
  const listed = propensities[place] ?? 0;
  if (contradicts(propensity, listed))
    throw new PermanentError(
      'data-invalid',
      `decision at sequence ${sequence}: expected one probability of the chosen arm "${arm}", got the propensity ${propensity} and ${listed} among its candidates; ./switchyard reconcile finds what was changed`,
    );
};

/** An estimate divides by it. */
const propensityOf = (propensity: number, sequence: number): number => {
  if (propensity > 0 && propensity <= 1) return propensity;
  throw new PermanentError(
    'bad_propensity',
    `decision at sequence ${sequence}: expected the propensity of the chosen arm above 0 and at most 1, got ${propensity}; what was never recorded cannot be evaluated`,
  );
};

const outcomeAt = (page: DecisionPage, i: number, weights: RewardWeights): Outcome => {
  const isMeasured = page.measured[i]! === 1;
  const { success, streaming, cache, cost } = microAt(page, i);
  return {
    parts: { success: success / million, streaming: streaming / million, cache: cache / million, cost: cost / million },
    weights: page.recordedWeights === null ? weights : weightsOf(listAt(page.recordedWeights, i)),
    failed: page.failed[i]! === 1,
    costUsd: isMeasured ? page.costNanoUsd[i]! / 1e9 : null,
    latencyMs: isMeasured ? page.latencyMs[i]! : null,
    tokens: isMeasured ? { prompt: page.promptTokens[i]!, completion: page.completionTokens[i]! } : null,
  };
};

const weightsOf = ([success = 0, streaming = 0, cache = 0, cost = 0]: readonly number[]): RewardWeights => ({
  success,
  streaming,
  cache,
  cost,
});

const featuresOf = (page: DecisionPage, i: number, tenant: Tenant): RecordedFeatures => {
  const features = featuresAt(page, i, tenant);
  const version = page.featuresVersion[i]!;
  if (version === 2) return features;
  if (version !== 1)
    throw new PermanentError(
      'data-invalid',
      `decision at sequence ${page.sequence[i]!}: expected features of version 1 or 2, got ${version}`,
    );
  const { promptCharacters, promptTokensEstimate, messageCount, lastMessageCharacters, hasCode, hasMathematics, isQuestion } = features;
  return { version: 1, promptCharacters, promptTokensEstimate, messageCount, lastMessageCharacters, hasCode, hasMathematics, isQuestion };
};

/** 0 stands for none. */
const orNull = (value: number): number | null => (value === 0 ? null : value);

const listOf = (text: string): readonly string[] => (text === '' ? [] : text.split(' '));
