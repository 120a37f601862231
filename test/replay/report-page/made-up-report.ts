import type {
  CandidateReport,
  Diagnostics,
  Difference,
  Estimate,
  EvaluationReport,
  Guarantee,
  Interval,
  QuantityName,
  QuantityReport,
  Stretch,
} from '../../../src/replay/evaluation/report.ts';
import type { ShadowedPair } from '../../../src/replay/logged/shadowed-pairs.ts';

/** An evaluation in which everything occurs that a report can hold: each verdict, each guarantee, whatever can be null, and names that would like to be markup. */
export const hostileName = `</title><script>alert("1")</script><img src=x onerror='alert(2)'>&amp; \u202Egnp.exe\u0000`;

const interval = (method: string, guarantee: Guarantee, low: number | null, high: number | null, confidence = 0.95): Interval => ({
  method,
  confidence,
  low,
  high,
  guarantee,
});

const around = (value: number, width: number, confidence?: number): readonly Interval[] => [
  interval('betting', 'anytime', value - 1.7 * width, value + 1.7 * width, confidence),
  interval('asymptotic sequence', 'asymptotic', value - 1.4 * width, value + 1.4 * width, confidence),
  interval('bootstrap', 'fixed-size', value - width, value + width, confidence),
];

const estimate = (estimator: string, value: number, width: number): Estimate => ({
  estimator,
  value,
  standardError: width / 1.96,
  lowerBounds: { student: null, bernstein: null },
  tunedBy: null,
  intervals: around(value, width),
});

const estimatesOf = (value: number, width: number): readonly Estimate[] => [
  estimate('ipw', value * 1.02, 1.6 * width),
  estimate('snipw', value * 1.01, 1.1 * width),
  { ...estimate('dm', value * 0.97, 0.2 * width), standardError: null, intervals: [] },
  estimate('dr', value, width),
  estimate('sndr', value, width),
  { ...estimate('ipw_clip_10', value * 0.99, 0.9 * width), tunedBy: { family: 'ipw', rule: 'slope', lambda: 10 } },
  {
    ...estimate('switch-dr_10', value, 0.95 * width),
    intervals: [interval('betting', 'anytime', null, value + width), interval('student', 'fixed-size', null, null)],
  },
];

const scaleByQuantity: Readonly<Record<QuantityName, readonly [logged: number, width: number]>> = {
  reward: [0.7023, 0.011],
  success: [0.91, 0.015],
  streaming: [0.66, 0.02],
  cache: [0.1, 0.01],
  cost: [0.8, 0.02],
  costUsd: [0.0000231, 0.0000012],
  latencyMs: [812.4, 21],
  failureRate: [0.031, 0.006],
};
export const quantityNames = Object.keys(scaleByQuantity) as readonly QuantityName[];

const lowerIsBetter: ReadonlySet<QuantityName> = new Set(['costUsd', 'latencyMs', 'failureRate']);

/** `steps`: how far the candidate is from the logger, in widths of an interval. */
const quantityOf = (quantity: QuantityName, steps: number, spread: number): QuantityReport => {
  const [logged, unit] = scaleByQuantity[quantity];
  const width = unit * spread;
  const value = steps * unit;
  return {
    quantity,
    better: lowerIsBetter.has(quantity) ? 'lower' : 'higher',
    records: 19_876,
    recommended: 'sndr',
    estimates: estimatesOf(logged + value, width),
    difference: { value, intervals: around(value, width, 0.99), p: 0.0123, pAdjusted: 0.0369 },
  };
};

const diagnostics: Diagnostics = {
  records: 19_876,
  effectiveRecords: 4_321.9,
  meanWeight: 1.0123,
  largestWeight: 62.5,
  unsupported: 0.0031,
  censored: 0,
  neverChosen: 812,
  histogram: [0, 0.5, 1, 2, 5, 10, 20, 50].map((from, i, all) => ({
    from,
    to: all[i + 1] ?? null,
    records: [9_000, 5_400, 3_300, 1_500, 510, 130, 34, 2][i] ?? 0,
  })),
};

const hour = (i: number): string => new Date(Date.UTC(2026, 4, 1 + 3 * i, 9, 12)).toISOString();
const stretches = (lift: number): readonly Stretch[] =>
  Array.from({ length: 10 }, (_, i): Stretch => {
    const logger = 0.68 + 0.004 * i;
    const candidate = logger + lift * (1 + Math.sin(i));
    return {
      firstAt: hour(i),
      lastAt: hour(i + 1),
      records: 1_987,
      candidate: { value: candidate, low: i === 4 ? null : candidate - 0.03, high: i === 4 ? null : candidate + 0.03 },
      logger: { value: logger, low: logger - 0.012, high: logger + 0.012 },
      difference: i === 5 ? null : candidate - logger,
    };
  });

const candidate = (name: string, kind: CandidateReport['verdict']['kind'], steps: number, spread = 1): CandidateReport => ({
  name,
  file: `policies/${name}.yaml`,
  kind: 'contextual-thompson',
  fingerprint: 'ee0c0be3561d4e92',
  method: { name: 'fixed', why: 'its probabilities do not depend on what it is told.' },
  quantities: quantityNames.map((quantity) => quantityOf(quantity, steps, spread)),
  diagnostics,
  overTime: stretches(0.01 * steps),
  verdict: { kind, sentence: `${kind}: ${name} would have earned something else.`, refusals: [], forced: false },
  warnings: [],
});

const pair = (
  deliveredArm: string,
  shadowArm: string,
  {
    similarity,
    ...latency
  }: Pick<ShadowedPair, 'latencyMsDifference' | 'latencyMsLow' | 'latencyMsHigh'> & { readonly similarity: number | null },
): ShadowedPair => ({
  deliveredArm,
  shadowArm,
  requests: 412,
  deliveredFailed: 3,
  shadowFailed: 9,
  bothCompleted: 400,
  deliveredLatencyMs: 364,
  shadowLatencyMs: 676.5,
  ...latency,
  deliveredFirstTokenMs: 80,
  shadowFirstTokenMs: 130,
  deliveredCostNanoUsd: 14_100,
  shadowCostNanoUsd: 493_000,
  costNanoUsdDifference: 478_900,
  costNanoUsdLow: 456_000,
  costNanoUsdHigh: 502_000,
  deliveredScore: null,
  shadowScore: null,
  meanSimilarity: similarity,
  simulated: 412,
});

const nothingKnown: Difference = { value: 0, intervals: [], p: null, pAdjusted: null };

export const madeUpReport: EvaluationReport = {
  version: 1,
  madeAt: '2026-06-01T10:00:00.000Z',
  command: './switchyard evaluate --policy policies/cheap-first.yaml --from 1204 --to 884213 --alpha 0.05 --seed "a & b"',
  source: { kind: 'clickhouse', logCreatedAt: '2026-04-01T00:00:00.000Z' },
  period: {
    fromSequence: 1_204,
    toSequence: 884_213,
    firstAt: '2026-05-01T09:12:00.123Z',
    lastAt: '2026-05-31T23:59:59.999Z',
    timeZone: 'UTC',
    tenant: 'support-desk',
    outcomesUpTo: 884_213,
  },
  settings: {
    alpha: 0.05,
    seed: '42',
    resamples: 1_000,
    weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
    prices: { 'large-arm': { inputUsdPerMillionTokens: 2.5, outputUsdPerMillionTokens: 10 } },
    rewardModel: 'past',
    force: true,
  },
  counts: { read: 20_105, duplicates: 17, censored: 212, evaluated: 19_876, clusters: 8_123 },
  loggers: [
    { policy: 'thompson 51c0a2', records: 15_000 },
    { policy: 'epsilon-greedy 90ff1e', records: 4_876 },
  ],
  onPolicy: quantityNames.map((quantity) => {
    const [mean, width] = scaleByQuantity[quantity];
    return { quantity, records: 19_876, mean, intervals: around(mean, width / 3) };
  }),
  exploration: {
    smallestPropensity: 0.01,
    floor: 0.01,
    evenness: Array.from({ length: 10 }, (_, i) => ({ firstAt: hour(i), records: 1_987, mean: 0.9 * 0.85 ** i })),
  },
  division: {
    withChoice: 19_000,
    untold: 100,
    parts: Array.from({ length: 10 }, (_, i) => ({ firstAt: hour(i), records: 1_987 })),
    arms: ['small', 'large', hostileName, 'd', 'e', 'f', 'g', 'h', 'i'].map((arm, i) => ({
      arm,
      records: Math.round(19_876 / 2 ** (i + 1)),
      share: 1 / 2 ** (i + 1),
      candidates: [0.1, 0.2, 1 / 3, 1, 0],
      overTime: Array.from({ length: 10 }, (_part, part) => (1 + part / 100) / 2 ** (i + 1)),
    })),
  },
  traffic: {
    answeredFromCache: 812,
    shadowed: [
      pair('small', 'large', { latencyMsDifference: 312.5, latencyMsLow: 290.1, latencyMsHigh: 334.9, similarity: 0.61 }),
      pair('large', hostileName, { latencyMsDifference: null, latencyMsLow: null, latencyMsHigh: null, similarity: null }),
    ],
  },
  regret: {
    arms: 3,
    seldomThere: 1,
    unknown: 1,
    best: 'always large',
    value: 0.0123,
    refusals: [],
    forced: false,
    intervals: around(0.0123, 0.011),
  },
  candidates: [
    candidate('cheap-first', 'better', 2.6),
    candidate('patient-thompson', 'worse', -2.2, 0.7),
    {
      ...candidate('even-split', 'cannot tell', 0.4, 1.3),
      method: { name: 'doubly-robust-replay', why: 'it learns from what it is told.' },
      quantities: quantityNames.map((quantity) => ({
        ...quantityOf(quantity, 0.4, 1.3),
        ...(quantity === 'cache' ? { difference: nothingKnown } : {}),
      })),
    },
    {
      ...candidate(hostileName, 'refused', 9, 60),
      file: null,
      method: { name: 'rejection-replay', why: 'the log holds no probabilities of other arms.' },
      diagnostics: { ...diagnostics, effectiveRecords: 2.04, meanWeight: 0.31, largestWeight: 18_331 },
      overTime: [],
      verdict: {
        kind: 'refused',
        sentence: 'No verdict: the log hardly speaks about this candidate.',
        refusals: [
          { code: 'overlap', what: 'The effective records are 2, expected at least 100.' },
          { code: 'unsupported', what: 'The candidate puts 41 % on arms that the logger could not have chosen.' },
        ],
        forced: false,
      },
      warnings: [
        {
          code: 'few-effective',
          what: 'These 19,876 records carry as much as 2.',
          consequence: 'One record more or less would change the answer.',
        },
      ],
    },
    {
      ...candidate('always large', 'better', 1.2, 1),
      kind: 'single-arm',
      verdict: {
        kind: 'better',
        sentence: 'Better by force.',
        refusals: [{ code: 'weights', what: 'The mean weight is 0.4, expected 0.9 to 1.1.' }],
        forced: true,
      },
    },
  ],
  control: { comparisons: 5, alphaEach: 0.01, adjustment: 'holm' },
  warnings: [
    { code: 'few-clusters', what: 'these records are of 12 conversations', consequence: 'intervals of a fixed size are too narrow' },
    {
      code: 'policies-mixed',
      what: 'Two policies made these decisions.',
      consequence: 'Each decision is weighed with the probability that it was drawn with; the comparison is with the mixture of them.',
    },
  ],
};
