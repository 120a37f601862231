import { openBettingSequence } from '../src/domain/evaluation/intervals/betting.ts';
import { openDiagnostics } from '../src/domain/evaluation/diagnostics.ts';
import { allEstimators, defaultEstimators, tuningGrids } from '../src/domain/evaluation/estimators.ts';
import { bettingInterval, intervalsOf, type NamedInterval } from '../src/domain/evaluation/intervals.ts';
import { openTally } from '../src/domain/evaluation/tally.ts';
import { tuned } from '../src/domain/evaluation/tuning.ts';
import { policySpecSchema } from '../src/events/schemas/policy.ts';
import { makeLog, sampleOf } from './ope/logged.ts';
import { candidatesOf, trueValue, worldOf, type Candidate, type World } from './ope/world.ts';
import type { Mark } from './marks.ts';
import type { BenchContext, Benchmark, FigureTable } from './report.ts';
import { rounded } from './statistics.ts';

/**
 * Off-policy evaluation where the truth is known: for each prompt the reward of every arm. A router that learns as it goes makes the log; fixed candidates are evaluated from it, again and again with other
 * draws; their value is the mean over all prompts. Relative error of the estimators, and how often each kind of interval holds the truth.
 */
const spec = policySpecSchema.parse({ kind: 'contextual-thompson', floor: 0.02, trial: { requests: 0, share: 0 } });
const sizes = [1_000, 10_000];
const replays = 1_000;
const alpha = 0.05;
const resamples = 200;

/** Intervals are made for these; errors are told of all. */
const withIntervals = ['ipw', 'snipw', 'dr', 'sndr'];
/** What no logged probability is below, so that the largest weight is known before the log is. */
const floor = spec.floor;
/** Those that promise their level for a logger that learns. */
const valid = new Set(['bernstein', 'asymptotic-sequence', 'betting']);

export const ope: Benchmark = {
  summary: 'error and coverage of off-policy estimates under a learning logger, where the truth is known (--data <folder> with test)',
  run: async (context) => {
    const world = worldOf(context.data);
    const candidates = candidatesOf(world);
    const figures: Figures[] = [];
    for (const size of sizes) figures.push(...(await figuresOf(world, candidates, size, context)));
    return {
      settings: {
        prompts: world.prompts.length,
        arms: world.arms.join(' '),
        logger: spec.kind,
        floor,
        replays: replaysOf(context),
        sizes: sizes.join(' '),
        confidence: 1 - alpha,
        resamples,
        seeds: 'the number of the replay',
        world: context.data === null ? 'made up' : 'recorded',
      },
      tables: [errorTable(figures), coverageTable(figures)],
      marks: marksOf(figures),
      notMeasured: [],
    };
  },
};

const replaysOf = ({ scale }: BenchContext): number => Math.max(10, Math.round(replays * scale));

type Tried = { count: number; held: number; width: number };
type Figures = {
  readonly candidate: string;
  readonly size: number;
  readonly truth: number;
  readonly replays: number;
  readonly squares: Map<string, number>;
  readonly intervals: Map<string, Tried>;
  effective: number;
};

const figuresOf = async (
  world: World,
  candidates: readonly Candidate[],
  size: number,
  context: BenchContext,
): Promise<readonly Figures[]> => {
  const count = replaysOf(context);
  const figures = candidates.map((candidate): Figures => ({
    candidate: candidate.name,
    size,
    truth: trueValue(world, candidate),
    replays: count,
    squares: new Map(),
    intervals: new Map(),
    effective: 0,
  }));
  for (let replay = 0; replay < count; replay++) {
    await new Promise(setImmediate);
    context.signal.throwIfAborted();
    const log = makeLog(world, spec, size, `${size} ${replay}`);
    candidates.forEach((candidate, i) => {
      const into = figures[i];
      if (into !== undefined) evaluate(world, log, candidate, String(replay), into);
    });
    if ((replay + 1) % Math.max(1, Math.round(count / 10)) === 0) context.note(`${size} records: ${replay + 1} of ${count} replays`);
  }
  return figures;
};

const evaluate = (world: World, log: ReturnType<typeof makeLog>, candidate: Candidate, seed: string, into: Figures): void => {
  const sample = sampleOf(world, log, candidate);
  const tally = openTally({ estimators: allEstimators });
  tally.add(sample);
  const watch = openDiagnostics();
  watch.add(sample);
  const [tallied, diagnostics] = [tally.finish(), watch.finish()];
  if (tallied === null || diagnostics === null) return;
  into.effective += diagnostics.effectiveSize;
  const noteError = (name: string, value: number) => into.squares.set(name, (into.squares.get(name) ?? 0) + (value - into.truth) ** 2);
  for (const { name } of defaultEstimators) {
    const estimate = tallied.estimates.get(name);
    if (estimate !== undefined) noteError(name, estimate.value);
  }
  for (const grid of tuningGrids)
    for (const rule of ['slope', 'mse'] as const)
      noteError(`${grid.family} by ${rule}`, tuned(grid, rule, tallied, diagnostics).estimate.value);

  const noteInterval = (name: string, { kind, interval }: NamedInterval) => {
    // One that says nothing of these records is not counted; by betting, that no value agrees with them, it is wrong.
    if (interval === null && kind !== 'betting') return;
    const key = `${kind} of ${name}`;
    const tried = into.intervals.get(key) ?? { count: 0, held: 0, width: 0 };
    into.intervals.set(key, tried);
    tried.count++;
    const { low, high } = interval ?? { low: Infinity, high: -Infinity };
    if (low <= into.truth && into.truth <= high) tried.held++;
    tried.width += Math.max(0, Math.min(1, high) - Math.max(0, low));
  };
  const known = { outcomes: { low: 0, high: 1 }, largestWeight: 1 / floor };
  const asked = { ...tallied, estimates: new Map([...tallied.estimates].filter(([name]) => withIntervals.includes(name))) };
  for (const [name, all] of intervalsOf(asked, { alpha, seed, resamples, known })) for (const one of all) noteInterval(name, one);
  const betting = openBettingSequence({ alpha, largestWeight: known.largestWeight });
  betting.add(sample);
  noteInterval('the value', bettingInterval(betting.interval()));
};

const errorOf = ({ squares, replays, truth }: Figures, name: string): number => Math.sqrt((squares.get(name) ?? NaN) / replays) / truth;

const errorTable = (figures: readonly Figures[]): FigureTable => ({
  title: 'Relative error: root of the mean square, divided by the truth',
  columns: ['estimator', ...figures.map(({ candidate, size }) => `${candidate}, ${size}`)],
  rows: [
    ['(truth)', ...figures.map(({ truth }) => rounded(truth))],
    ['(effective size)', ...figures.map(({ effective, replays }) => Math.round(effective / replays))],
    ...[...(figures[0]?.squares.keys() ?? [])].map((name) => [name, ...figures.map((one) => rounded(errorOf(one, name)))]),
  ],
});

const coverageTable = (figures: readonly Figures[]): FigureTable => ({
  title: 'Coverage of 95 % intervals (mean width within 0..1)',
  columns: ['interval', ...figures.map(({ candidate, size }) => `${candidate}, ${size}`)],
  rows: [...(figures[0]?.intervals.keys() ?? [])].map((name) => [
    name,
    ...figures.map(({ intervals }) => {
      const { count, held, width } = intervals.get(name) ?? { count: 0, held: 0, width: 0 };
      return count === 0 ? null : `${(held / count).toFixed(3)} (${(width / count).toFixed(3)})`;
    }),
  ]),
});

const marksOf = (figures: readonly Figures[]): readonly Mark[] => {
  const small = figures.filter(({ size }) => size === sizes[0]);
  return [
    ...small.map((one): Mark => ({
      name: `${one.candidate}, ${one.size} records: error of dr as a share of that of ipw`,
      value: Number((errorOf(one, 'dr') / errorOf(one, 'ipw')).toFixed(3)),
      comparison: '<=',
      threshold: 1,
      unit: '',
    })),
    ...[...valid].map((kind): Mark => ({
      name: `least coverage of ${kind} over candidates, sizes and estimators`,
      value: Math.min(
        ...figures.flatMap(({ intervals }) =>
          [...intervals].filter(([name]) => name.startsWith(`${kind} of`)).map(([, { held, count }]) => Number((held / count).toFixed(3))),
        ),
      ),
      comparison: '>=',
      threshold: 1 - alpha,
      unit: '',
    })),
  ];
};
