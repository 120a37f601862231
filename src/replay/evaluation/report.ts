import type { RewardWeights } from '../../domain/reward/reward.ts';
import type { Price } from '../../domain/price.ts';
import type { Traffic } from '../logged/traffic.ts';

/**
 * What an evaluation says: plain data, the same for the terminal, `--json` and the HTML report. Whatever cannot be known is null, never NaN. Times are ISO 8601 in UTC. Rewards, shares and rates
 * are 0 to 1, money is dollars, time milliseconds.
 */
export type EvaluationReport = {
  readonly version: 1;
  /** When it was made. */
  readonly madeAt: string;
  /** The command line that makes it again, with the period frozen. */
  readonly command: string;
  readonly source: Source;
  readonly period: EvaluatedPeriod;
  readonly settings: EvaluationSettings;
  readonly counts: Counts;
  /** Policies that made the decisions, the most frequent first; at most 64 of them. */
  readonly loggers: readonly Logger[];
  /** What the decisions as they were logged came to: the plain means. */
  readonly onPolicy: readonly OnPolicyValue[];
  /** What the logger's exploration was, over the period. */
  readonly exploration: Exploration;
  readonly division: Division;
  /** What else the log of the yard holds of the period; null for a file. */
  readonly traffic: Traffic | null;
  readonly candidates: readonly CandidateReport[];
  /** Against the best single arm; null where single arms were not asked for. */
  readonly regret: Regret | null;
  /** How error is controlled over all candidates. */
  readonly control: {
    readonly comparisons: number;
    /** Level of each interval of a difference: alpha divided by the number of candidates (Bonferroni). */
    readonly alphaEach: number;
    /** p values are raised over the candidates by this method. */
    readonly adjustment: 'holm';
  };
  /** That concern all candidates. */
  readonly warnings: readonly Warning[];
};

export type Source =
  | { readonly kind: 'clickhouse'; /** Identifies the log. */ readonly logCreatedAt: string }
  | { readonly kind: 'file'; readonly file: string };

/** Frozen: both ends are places in the log, so that the same command sees the same records. */
export type EvaluatedPeriod = {
  /** Null for a file. */
  readonly fromSequence: number | null;
  readonly toSequence: number | null;
  /** Of the first and the last record that was read. */
  readonly firstAt: string;
  readonly lastAt: string;
  readonly timeZone: 'UTC';
  /** Null: all tenants. */
  readonly tenant: string | null;
  /** Outcomes count as they stood in the log at this sequence; null for a file. */
  readonly outcomesUpTo: number | null;
};

export type EvaluationSettings = {
  readonly alpha: number;
  readonly seed: string;
  readonly resamples: number;
  /** Null: the weights that were in force for each record. */
  readonly weights: RewardWeights | null;
  /** Prices of arms that take the place of those that were paid. */
  readonly prices: Readonly<Record<string, Price>>;
  readonly rewardModel: RewardModelKind;
  readonly force: boolean;
};

/**
 * past: each record is predicted from those before it; cross-fitted: from the other folds; in-sample: from all of them, itself too, as other tools do, with a bias that makes intervals too narrow; none: no model, and dm, dr
 * and their kin are left out.
 */
export type RewardModelKind = 'past' | 'cross-fitted' | 'in-sample' | 'none';

export type Counts = {
  /** Decisions that were read. */
  readonly read: number;
  /** Second records of the same decision, left out. */
  readonly duplicates: number;
  /** Decisions of which nothing came (open, broken off), left out. */
  readonly censored: number;
  /** Those that remain: what estimates are made from. */
  readonly evaluated: number;
  /** Conversations, or records that belong to none; beyond 10,000 of them an estimate, good to a thousandth. */
  readonly clusters: number;
};

export type Logger = { readonly policy: string; readonly records: number };

/** Names are those of `quantities` in quantities.ts. */
export type QuantityName = 'reward' | 'success' | 'streaming' | 'cache' | 'cost' | 'costUsd' | 'latencyMs' | 'failureRate';

export type OnPolicyValue = {
  readonly quantity: QuantityName;
  readonly records: number;
  readonly mean: number;
  readonly intervals: readonly Interval[];
};

/** An interval of a value, and what it promises. */
export type Interval = {
  readonly method: string;
  /** 1 - alpha. */
  readonly confidence: number;
  /** Null: it has no end on this side, or cannot be made from so few records. */
  readonly low: number | null;
  readonly high: number | null;
  readonly guarantee: Guarantee;
};

/**
 * What an interval promises, for the requests of the period (conversations to come may differ).
 * fixed-size: holds at one number of records that was chosen beforehand, for many independent ones (a limit theorem); not under a logger that learns from them.
 * asymptotic: holds at all numbers of records at once, in the limit, also under a logger that learns.
 * anytime: holds for any number of records, at all times at once, also under a logger that learns: for the mean over these requests, each given what came before it.
 */
export type Guarantee = 'fixed-size' | 'asymptotic' | 'anytime';

export type CandidateReport = {
  /** Of the policy, and where it came from. */
  readonly name: string;
  readonly file: string | null;
  readonly kind: string;
  readonly fingerprint: string;
  readonly method: Method;
  /** Reward first. */
  readonly quantities: readonly QuantityReport[];
  readonly diagnostics: Diagnostics;
  /** Empty where the records do not come in the order of time, as all that is told by stretch. */
  readonly overTime: readonly Stretch[];
  readonly verdict: Verdict;
  readonly warnings: readonly Warning[];
};

/** How its decisions were found, and why so. */
export type Method = {
  readonly name: 'fixed' | 'rejection-replay' | 'doubly-robust-replay';
  readonly why: string;
  /** Of a policy that would learn and is taken as it stood: when. */
  readonly frozenAt?: string;
};

export type QuantityReport = {
  readonly quantity: QuantityName;
  /** What is better. */
  readonly better: 'higher' | 'lower';
  /** Records in which it was measured. */
  readonly records: number;
  /** The estimator that is believed: its estimate is the answer. */
  readonly recommended: string;
  readonly estimates: readonly Estimate[];
  /** Candidate less logger, on the same records, by the recommended estimator. */
  readonly difference: Difference;
};

/** `lambda` null: without a limit. */
export type Tuning = { readonly family: string; readonly rule: 'slope' | 'mse'; readonly lambda: number | null };

export type Estimate = {
  /** Each once. As in the field: ipw, snipw, dm, dr, sndr, ipw_clip10, switch-dr_10, ...; what a rule has chosen by family and rule: dr (slope). */
  readonly estimator: string;
  readonly value: number;
  readonly standardError: number | null;
  /** One-sided, each exceeded by the value with probability 1 - alpha if records were independent: those of the Open Bandit Pipeline (domain/evaluation/bounds.ts), for comparing with other tools. */
  readonly lowerBounds: { readonly student: number | null; readonly bernstein: number | null };
  /** How its parameter was chosen; null for an estimator that has none, or a given one. */
  readonly tunedBy: Tuning | null;
  readonly intervals: readonly Interval[];
};

export type Difference = {
  readonly value: number;
  /** Each at the level `control.alphaEach`. */
  readonly intervals: readonly Interval[];
  /** Probability of a difference at least as large, either way, if there were none; Student's t. Null where nothing says how far values spread, and where part of the choices was never logged. */
  readonly p: number | null;
  /** Raised over the candidates. For one look at many independent conversations, as Student's interval: no verdict rests on it. */
  readonly pAdjusted: number | null;
};

export type Diagnostics = {
  /** In which the candidate has a say: for a single arm those in which it was one of several that could be chosen, for others all. */
  readonly records: number;
  readonly effectiveRecords: number;
  readonly meanWeight: number;
  readonly largestWeight: number;
  /** Mean probability that the candidate puts on arms that the logger could not have chosen. */
  readonly unsupported: number;
  /** Share of what the candidate would have chosen of which nothing came. */
  readonly censored: number;
  /** Records whose logged arm the candidate would never choose. */
  readonly neverChosen: number;
  /** Weights by size, from 0 up; the last bin has no end. */
  readonly histogram: readonly { readonly from: number; readonly to: number | null; readonly records: number }[];
};

/** A part of the period, of about as many records as the others, in the order of the log. */
export type Stretch = {
  readonly firstAt: string;
  readonly lastAt: string;
  readonly records: number;
  /** Of the reward, by the recommended estimator; normal intervals of this stretch alone, for charts. */
  readonly candidate: { readonly value: number; readonly low: number | null; readonly high: number | null };
  readonly logger: { readonly value: number; readonly low: number | null; readonly high: number | null };
  /** The part of these records in the difference of the candidate, a record; null in rejection replay. */
  readonly difference: number | null;
};

export type Exploration = {
  /** The smallest probability with which a logged arm was drawn: weights are at most 1 / this. */
  readonly smallestPropensity: number;
  /** The smallest of any candidate of any decision: the floor that was in force; null for logs that hold the chosen arm's alone. */
  readonly floor: number | null;
  /** How evenly the logger chose: mean entropy of its probabilities divided by that of equal ones, 0 (always the same arm) to 1, by stretch. Null for logs that hold the chosen arm's alone, and out of order. */
  readonly evenness: readonly { readonly firstAt: string; readonly records: number; readonly mean: number }[] | null;
};

/** How the decisions were divided among the arms. */
export type Division = {
  /** Evaluated decisions in which more than one arm could be chosen. */
  readonly withChoice: number;
  /** Those that do not tell: they hold the chosen arm alone. */
  readonly untold: number;
  /** Parts of the period, of about as many records each; none where records are out of order. */
  readonly parts: readonly { readonly firstAt: string; readonly records: number }[];
  /** The most frequent first; beyond 31 of them the rest together, `(others)`. */
  readonly arms: readonly ArmShare[];
};

export type ArmShare = {
  readonly arm: string;
  /** Evaluated decisions that were for it. */
  readonly records: number;
  readonly share: number;
  /** Mean probability that each candidate puts on it, in the order of `candidates`. */
  readonly candidates: readonly number[];
  /** Share in each of the parts. */
  readonly overTime: readonly number[];
};

/** What the best single arm, always chosen where it could be, would have earned more than was earned, a request. */
export type Regret = {
  /** How many arms were compared: those that could be chosen in half of the decisions with a choice, at least. */
  readonly arms: number;
  /** How many others there were. */
  readonly seldomThere: number;
  /** Of the arms compared, how many the log says too little of to have an estimate here. They are in the intervals. */
  readonly unknown: number;
  /** The candidate with the highest estimate. Null: none of the arms can be named so, as the log says too little of them, or of one that is better. */
  readonly best: string | null;
  readonly value: number | null;
  /** Why no regret is told: the intervals of arms do not hold. Empty otherwise. */
  readonly refusals: readonly Refusal[];
  /** It is told although `refusals` are not empty. */
  readonly forced: boolean;
  /** Of the largest difference, whichever arm it is of; all arms together at this confidence. */
  readonly intervals: readonly Interval[];
};

export type Verdict = {
  readonly kind: 'better' | 'worse' | 'cannot tell' | 'refused';
  /** One sentence, with the figures. */
  readonly sentence: string;
  /** Why it was or would be refused; empty when the overlap is enough. */
  readonly refusals: readonly Refusal[];
  /** It was concluded although `refusals` are not empty. */
  readonly forced: boolean;
};

/**
 * overlap: the log says too little of the candidate; unsupported: part of its choices could not have been made; weights: the logged probabilities are not those that the log was made with; censored: nothing came of too much;
 * conversations: there are too few. The last three concern the intervals, whatever is concluded from them.
 */
export type Refusal = { readonly code: 'overlap' | 'unsupported' | 'weights' | 'censored' | 'conversations'; readonly what: string };

/** What was seen and what follows from it, each a sentence. */
export type Warning = { readonly code: string; readonly what: string; readonly consequence: string };
