import type { DataOf } from '../../events/index.ts';

/**
 * Keeps the mean cost of a tenant's requests at its budget, and their mean latency at its objective, by prices: the router maximises reward less price times what a request costs and takes (the
 * Lagrangian of the problem with constraints; Badanidiyuru, Kleinberg and Slivkins, "Bandits with knapsacks"; Agrawal and Devanur 2014). A price rises when more was used than allowed and falls
 * when less was: mirror descent with the exponential map, so that one step size serves budgets of any size. What was overspent or left over moves it beside, at once.
 *
 * 1. A step looks at whole sums of the log since the last step, so it does not matter in which order they came, and each step is an event: all routers use the same price.
 * 2. Debts are paid back over some hundred requests, and forgotten after about as many; of savings a few budgets are kept.
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
/** Requests after which money that was overspent is forgotten, by a factor of e: an outage or a burst does not starve the tenant for ever. */
const horizon = 400;
/** Of the money left over, so many budgets are kept: savings are not spent in a burst. */
const savable = 4;
/** Money overspent by so many budgets raises the price by a factor of e, money left over lowers it. */
const urgency = 24;
/** A single dear answer may be worth hundreds of budgets: it moves the price as much as this. */
const largestExcess = 5;
/** Planned below the budget: what is left makes up for the steps' being behind the requests. */
const plannedShare = 0.995;
/** Of the planned budget, what is still planned while debts are paid back. */
const leastAllowance = 0.9;

/**
 * The prices for the next request. What was spent since the last step counts at once: of two dear answers in a row the second is dearer. A tenant that has made no step, or whose budget has
 * changed since, has the same worth of a budget as before.
 */
export const pricesOf = (last: Pace | null, { usdPerRequest, latencyTargetMs }: Budget, totals: PaceTotals = last?.totals ?? noTotals): Prices => ({
  rewardPerUsd: usdPerRequest === null ? 0 : (moneyWorth(last) * urgencyOf(creditNow(last, usdPerRequest, totals))) / usdPerRequest,
  rewardPerSecond: latencyTargetMs === null ? 0 : timeWorth(last) / (latencyTargetMs / 1_000),
});

/** Price times budget has no unit: it is kept when the budget changes. */
const moneyWorth = (last: Pace | null): number =>
  last === null || last.usdPerRequest === null ? firstWorth : last.rewardPerUsd * last.usdPerRequest;

const timeWorth = (last: Pace | null): number =>
  last === null || last.latencyTargetMs === null ? firstWorth : (last.rewardPerSecond * last.latencyTargetMs) / 1_000;

/** In budgets. */
const creditNow = (last: Pace | null, budget: number, totals: PaceTotals): number => {
  const before = last?.totals ?? noTotals;
  const requests = totals.requests - before.requests;
  const cost = (totals.costNanoUsd - before.costNanoUsd) / nanoPerUsd;
  const kept = last?.usdPerRequest == null ? 0 : last.creditNanoUsd / nanoPerUsd;
  return Math.min(savable, Math.max(-horizon, (kept * Math.exp(-requests / horizon) - cost) / budget + requests * plannedShare));
};

const urgencyOf = (credit: number): number => Math.exp(-Math.max(-2, credit / urgency));

export const paceDue = (last: Pace | null, totals: PaceTotals): boolean => totals.requests - (last?.totals.requests ?? 0) >= stride;

/** The next step; `paceDue` must hold. */
export const nextPace = (last: Pace | null, totals: PaceTotals, budget: Budget): Pace => {
  const before = last?.totals ?? noTotals;
  const requests = totals.requests - before.requests;
  const seconds = (totals.latencyMs - before.latencyMs) / 1_000;
  const { latencyTargetMs } = budget;
  return {
    step: (last?.step ?? 0) + 1,
    ...budget,
    ...paceMoney(last, budget, totals),
    rewardPerSecond:
      latencyTargetMs === null
        ? 0
        : adjusted(timeWorth(last), seconds / requests / (latencyTargetMs / 1_000), requests) / (latencyTargetMs / 1_000),
    totals,
  };
};

const paceMoney = (
  last: Pace | null,
  { usdPerRequest: budget }: Budget,
  totals: PaceTotals,
): Pick<Pace, 'rewardPerUsd' | 'creditNanoUsd'> => {
  if (budget === null) return { rewardPerUsd: 0, creditNanoUsd: 0 };
  const before = last?.totals ?? noTotals;
  const requests = totals.requests - before.requests;
  const costUsd = (totals.costNanoUsd - before.costNanoUsd) / nanoPerUsd;
  const credit = creditNow(last, budget, totals);
  const allowed = budget * plannedShare * Math.max(leastAllowance, 1 + credit / (credit > 0 ? savable : horizon));
  return {
    rewardPerUsd: adjusted(moneyWorth(last), costUsd / requests / allowed, requests) / budget,
    // Adding 0 turns a negative zero, which JSON does not keep, into zero.
    creditNanoUsd: Math.round(credit * budget * nanoPerUsd) + 0,
  };
};

const adjusted = (worth: number, used: number, requests: number): number => {
  const step = Math.min(largestGain, (gain * requests) / stride) * Math.min(largestExcess, used - 1);
  return Math.min(largestWorth, Math.max(leastWorth, worth * Math.exp(step)));
};

/** An answer that costs more budgets than this is not bought, whatever it promises. */
const mostBudgets = 64;

export const isBeyondBudget = (costNanoUsd: number | null, { usdPerRequest }: Budget): boolean =>
  costNanoUsd !== null && usdPerRequest !== null && costNanoUsd > mostBudgets * usdPerRequest * nanoPerUsd;
