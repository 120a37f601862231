import type { DataOf, Tenant } from '../../events/index.ts';
import { canaryDecider, stableDecider } from './deciders.ts';
import { decideRoute, type RoutingInput } from './router.ts';
import type { RouterState } from './state.ts';

/** Where a logged decision and its repetition part. */
export type Difference = { readonly what: string; readonly logged: string; readonly recomputed: string };

export type Recomputed = { readonly kind: 'same' } | { readonly kind: 'different'; readonly differences: readonly Difference[] };

/** How far, relatively, a recomputed number may lie from the logged one: another processor's exp and log may differ in the last digits. */
const tolerance = 1e-9;

type Decision = DataOf<'route.decided'>;

/** Repeats a logged decision on the state at its sequence: the fold of the log up to there. */
export const recompute = (logged: Decision, tenant: Tenant, state: RouterState): Recomputed => {
  const differences: Difference[] = [];
  const compare = (what: string, inLog: Figure | undefined, again: Figure | undefined) => {
    if (!isClose(inLog, again)) differences.push({ what, logged: String(inLog), recomputed: String(again ?? 'none') });
  };
  compare('state sequence', logged.stateSequence, state.sequence);
  const { canary, trial } = logged.policy;
  const source = canary ? canaryDecider(state) : stableDecider(state);
  const policy = source && { ...source, trial };
  compare('policy', logged.policy.id, policy?.content.policy.id);
  compare('policy version', logged.policy.version, policy?.content.policy.version);
  if (policy === null) return { kind: 'different', differences };
  const decision = decideRoute(inputOf(logged, tenant), policy, state);
  compare('outcome', 'chosen', decision.kind);
  if (decision.kind === 'chosen') {
    const { choice } = decision;
    compare('arm', logged.arm, choice.arm);
    compare('model', logged.model, choice.model);
    compare('floor', logged.floor, choice.floor);
    compare('step of pacing', logged.pacing?.step ?? null, choice.pacing?.step ?? null);
    compare('price of money', logged.pacing?.rewardPerUsd ?? null, choice.pacing?.rewardPerUsd ?? null);
    compare('price of time', logged.pacing?.rewardPerSecond ?? null, choice.pacing?.rewardPerSecond ?? null);
    compare('candidates', names(logged.candidates), names(choice.candidates));
    compare('exclusions', reasons(logged.exclusions), reasons(choice.exclusions));
    logged.candidates.forEach((candidate, i) => {
      const [inLog, again] = [figures(candidate), figures(choice.candidates[i])];
      for (const name of new Set([...inLog.keys(), ...again.keys()]))
        compare(`${name} of ${candidate.arm}`, inLog.get(name), again.get(name));
    });
    compare('propensity', logged.propensity, choice.propensity);
  }
  return differences.length === 0 ? { kind: 'same' } : { kind: 'different', differences };
};

/** What a logged decision says of the request that it was made for. */
export type LoggedRequest = Pick<
  Decision,
  'requestedModel' | 'features' | 'maxOutputTokens' | 'needs' | 'weights' | 'conversation' | 'draw' | 'decidedAt'
> & { readonly pacing: Pick<NonNullable<Decision['pacing']>, 'usdPerRequest' | 'latencyTargetMs'> | null };

/** The request as the router saw it. */
export const inputOf = (logged: LoggedRequest, tenant: Tenant): RoutingInput => {
  const { requestedModel, features, maxOutputTokens, needs, weights, conversation, draw, decidedAt, pacing } = logged;
  return {
    tenant,
    requestedModel,
    features,
    maxOutputTokens,
    needs,
    weights,
    budget: { usdPerRequest: pacing?.usdPerRequest ?? null, latencyTargetMs: pacing?.latencyTargetMs ?? null },
    conversation,
    decidedAtMs: decidedAt === null ? null : Date.parse(decidedAt),
    draw,
  };
};

type Figure = string | number | null;

const figures = (candidate: Decision['candidates'][number] | undefined): ReadonlyMap<string, Figure> =>
  new Map<string, Figure>(
    candidate && [
      ['model', candidate.model],
      ...Object.entries(candidate.posterior ?? {}),
      ['adjustment', candidate.adjustment],
      ['floor', candidate.floor],
      ['expected cost', candidate.expectedCostNanoUsd],
      ['expected latency', candidate.expectedLatencyMs],
      ['propensity', candidate.propensity],
    ],
  );

const names = (candidates: readonly { readonly arm: string }[]): string => candidates.map(({ arm }) => arm).join(', ');

const reasons = (exclusions: Decision['exclusions']): string => exclusions.map(({ arm, reason }) => `${arm} (${reason})`).join(', ');

const isClose = (a: Figure | undefined, b: Figure | undefined): boolean =>
  typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b), tolerance) : a === b;
