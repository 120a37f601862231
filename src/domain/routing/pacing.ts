import type { DataOf } from '../../events/index.ts';

/**
 * Keeps the mean cost of a tenant's requests at its budget, and their mean latency at its objective, by prices: the router maximises reward less price times what a request costs and takes (the
 * Lagrangian of the problem with constraints; Badanidiyuru, Kleinberg and Slivkins, "Bandits with knapsacks"; Agrawal and Devanur 2014). A price rises when more was used than allowed and falls
 * when less was: mirror descent with the exponential map, so that one step size serves budgets of any size. What was overspent or left over moves it beside, at once.
 *
 * 1. A step looks at whole sums of the log since the last step, so it does not matter in which order they came, and each step is an event: all routers use the same price.
 * 2. Debts and savings are bounded: nothing that happened once starves a tenant for long, or lets it burst.
 */
export type Pace = Pick<
  DataOf<'budget.paced'>,
  'step' | 'usdPerRequest' | 'latencyTargetMs' | 'rewardPerUsd' | 'rewardPerSecond' | 'totals' | 'creditNanoUsd'
>;
export type PaceTotals = Pace['totals'];
export type Budget = { readonly usdPerRequest: number | null; readonly latencyTargetMs: number | null };
export type Prices = { readonly rewardPerUsd: number; readonly rewardPerSecond: number };

export const noTotals: PaceTotals = { requests: 0, costNanoUsd: 0, latencyMs: 0 };

const nanoPerUsd = 1e9;
/** A budget's worth of money, or a target's worth of time, is at first worth this much reward. */
const firstWorth = 0.02;
const leastWorth = 1e-6;
const largestWorth = 1;
/** Requests between steps. */
const stride = 10;
/** Change of the logarithm of a price for each stride of requests that used twice what they should, and at most for one step. */
const gain = 0.1;
const largestGain = 0.5;
/** So many budgets of debt are remembered, and forgotten by a factor of e over so many requests: more, after a burst or an outage, would starve the tenant. */
export const mostDebt = 96;
export const horizon = 1_000;
/** So many budgets of savings are kept: they are not spent in a burst. */
export const mostSavings = 8;
/** Debts of so many budgets raise the price by a factor of e, savings lower it. */
const urgency = 24;
/** A single dear answer may be worth many budgets: it moves the price as much as this. */
const largestExcess = 5;
/** Planned below the budget: what is left makes up for the steps' being behind the requests. */
export const plannedShare = 0.9875;
/** After a pause of so many requests without a step (the budget was taken away and set again) pacing begins anew. */
const longestPause = 100_000;

/**
 * The prices for the next request. What was spent since the last step counts at once: of two dear answers in a row the second is dearer. A tenant that has made no step, or whose budget has
 * changed since, has the same worth of a budget as before.
 */
export const pricesOf = (
  last: Pace | null,
  { usdPerRequest, latencyTargetMs }: Budget,
  totals: PaceTotals = last?.totals ?? noTotals,
): Prices => ({
  rewardPerUsd: usdPerRequest === null ? 0 : (moneyWorth(last) * urgencyOf(creditNow(last, usdPerRequest, totals))) / usdPerRequest,
  rewardPerSecond: latencyTargetMs === null ? 0 : timeWorth(last) / (latencyTargetMs / 1_000),
});

/** Price times budget has no unit: it is kept when the budget changes. */
const moneyWorth = (last: Pace | null): number =>
  last === null || last.usdPerRequest === null ? firstWorth : last.rewardPerUsd * last.usdPerRequest;

const timeWorth = (last: Pace | null): number =>
  last === null || last.latencyTargetMs === null ? firstWorth : (last.rewardPerSecond * last.latencyTargetMs) / 1_000;

/** In budgets. What was spent before the first step, or while there was no budget, was not spent under this one. */
const creditNow = (last: Pace | null, budget: number, totals: PaceTotals): number => {
  if (isBeginning(last, totals)) return 0;
  const requests = totals.requests - last.totals.requests;
  const cost = (totals.costNanoUsd - last.totals.costNanoUsd) / nanoPerUsd;
  const kept = (last.creditNanoUsd / nanoPerUsd / budget) * Math.exp(-requests / horizon);
  const credit = kept - cost / budget + requests * plannedShare;
  return Math.min(mostSavings, Math.max(-mostDebt, credit));
};

const isBeginning = (last: Pace | null, totals: PaceTotals): last is null =>
  last === null || last.usdPerRequest === null || totals.requests - last.totals.requests > longestPause;

const urgencyOf = (credit: number): number => Math.exp(-credit / urgency);

export const paceDue = (last: Pace | null, totals: PaceTotals): boolean =>
  last === null ? totals.requests > 0 : totals.requests - last.totals.requests >= stride;

/** The next step; `paceDue` must hold. The first one only marks where pacing begins. */
export const nextPace = (last: Pace | null, totals: PaceTotals, budget: Budget): Pace => ({
  step: (last?.step ?? 0) + 1,
  ...budget,
  ...paceMoney(last, budget, totals),
  rewardPerSecond: paceTime(last, budget, totals),
  totals,
});

const paceMoney = (
  last: Pace | null,
  { usdPerRequest: budget }: Budget,
  totals: PaceTotals,
): Pick<Pace, 'rewardPerUsd' | 'creditNanoUsd'> => {
  if (budget === null) return { rewardPerUsd: 0, creditNanoUsd: 0 };
  if (last === null || isBeginning(last, totals)) return { rewardPerUsd: moneyWorth(last) / budget, creditNanoUsd: 0 };
  const requests = totals.requests - last.totals.requests;
  const costUsd = (totals.costNanoUsd - last.totals.costNanoUsd) / nanoPerUsd;
  const credit = creditNow(last, budget, totals);
  const planned = budget * plannedShare;
  const mean = costUsd / requests;
  // What will be forgotten of a debt has to be saved beside it. But a tenant that keeps to its plan is not to blame: its price would be too high once the debt is gone.
  const allowed = credit > 0 ? planned * (1 + credit / mostSavings) : mean > planned ? planned * (1 + credit / horizon) : planned;
  return {
    rewardPerUsd: adjusted(moneyWorth(last), mean / allowed, requests) / budget,
    // Adding 0 turns a negative zero, which JSON does not keep, into zero.
    creditNanoUsd: Math.round(credit * budget * nanoPerUsd) + 0,
  };
};

const paceTime = (last: Pace | null, { latencyTargetMs: target }: Budget, totals: PaceTotals): number => {
  if (target === null) return 0;
  const worth = timeWorth(last);
  const requests = totals.requests - (last?.totals.requests ?? 0);
  if (last === null || last.latencyTargetMs === null || requests > longestPause) return worth / (target / 1_000);
  const meanMs = (totals.latencyMs - last.totals.latencyMs) / requests;
  return adjusted(worth, meanMs / target, requests) / (target / 1_000);
};

const adjusted = (worth: number, used: number, requests: number): number => {
  const step = Math.min(largestGain, (gain * requests) / stride) * Math.min(largestExcess, used - 1);
  return Math.min(largestWorth, Math.max(leastWorth, worth * Math.exp(step)));
};

/** An answer that is expected to cost so many budgets is not bought, whatever it promises. Far more than prices would let through: one dear first answer must not put an arm out for good. */
export const mostBudgets = 128;

export const isBeyondBudget = (costNanoUsd: number | null, { usdPerRequest }: Budget): boolean =>
  costNanoUsd !== null && usdPerRequest !== null && costNanoUsd > mostBudgets * usdPerRequest * nanoPerUsd;
