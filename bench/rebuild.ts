import type { RequestMemory } from '../src/actors/request-memory.ts';
import { routerConcern } from '../src/actors/router.ts';
import { emptySnapshot, snapshotOf, stateOf, type StateSnapshot } from '../src/domain/routing/snapshot.ts';
import { summaryOf } from '../src/domain/routing/summary.ts';
import { sequence } from '../src/events/index.ts';
import type { Clickhouse } from '../src/projections/clickhouse.ts';
import { requestEvents, unsettledFeedback } from '../src/projections/request-events.ts';
import { foldTail, snapshotFromClickhouse, trustedSnapshot } from '../src/projections/state.ts';
import { fillLog, openLaboratory, type Laboratory } from './laboratory.ts';
import { rewardEvent } from './made-up-events.ts';
import { fillWithRewards } from './many-rewards.ts';
import { projectUntil } from './project-until.ts';
import type { Benchmark, BenchContext, Findings } from './report.ts';
import { median, rounded } from './statistics.ts';

/**
 * How long a router takes to know what it knew.
 *
 * Ten million rewards that ClickHouse alone holds, over the interface that a router reads: from the question to a state that decides. And a million rewards in log and ClickHouse with a tail that is
 * only in the log, three ways: the state alone (sums and tail), the whole router as a worker starts it (the same and the ledger of recent requests), and the same from the log alone, as when
 * ClickHouse is gone. All have to end at the same sequence with the same state, to the last digit.
 */
export const rebuild: Benchmark = {
  summary: 'a router rebuilt from ten million rewards in ClickHouse; from a million and the tail of the log, and from the log alone',
  run: async (context) => {
    await using opened = new AsyncDisposableStack();
    const laboratory = opened.adopt(await openLaboratory(), (lab) => lab.close());
    const many = await fromClickhouse(laboratory, context);
    const ways = await threeWays(laboratory, context);
    return {
      settings: { ...many.settings, ...ways.settings },
      tables: [...many.tables, ...ways.tables],
      marks: [...many.marks, ...ways.marks],
      notMeasured: ['a ClickHouse server over the network; rewards that stand in the table among three times as many other events'],
    };
  },
};

type Part = Pick<Findings, 'settings' | 'tables' | 'marks'>;

const manyCount = 10_000_000;
const rewardCount = 1_000_000;
const tailCount = 20_000;
const roundCount = 5;

const fromClickhouse = async (laboratory: Laboratory, { note, signal, scale }: BenchContext): Promise<Part> => {
  await using opened = new AsyncDisposableStack();
  const rewards = Math.max(1_000, Math.round(manyCount * scale));
  const clickhouse = opened.adopt(await laboratory.openDatabase('many'), (open) => open.close());
  note(`making ${rewards} rewards in ClickHouse`);
  await fillWithRewards(clickhouse, rewards);
  const reader = opened.adopt(await laboratory.openReader('many'), (open) => open.close());
  signal.throwIfAborted();
  const { seconds, state } = await timed({
    name: 'sums in ClickHouse',
    rounds: roundCount,
    rebuild: async () => snapshotOf(stateOf(held(await snapshotFromClickhouse(reader)).snapshot)),
  });
  note(`${rewards} rewards summed: ${rounded(median(seconds))} s`);
  return {
    settings: { rewardsInClickhouse: rewards },
    tables: [
      {
        title: 'Seconds until the state is there, ClickHouse alone',
        columns: ['rewards', 'median', 'slowest', 'trials', 'cells', 'blocks'],
        rows: [
          [
            rewards,
            rounded(median(seconds)),
            rounded(Math.max(...seconds)),
            trialsOf(state),
            new Set(state.blocks.map(({ cell }) => cell)).size,
            state.blocks.length,
          ],
        ],
      },
    ],
    marks: [
      {
        name: `the state from ${rewards} rewards in ClickHouse`,
        value: rounded(median(seconds)),
        comparison: '<=',
        threshold: 10,
        unit: ' s',
      },
      { name: 'rewards that are missing in it, or there twice', value: rewards - trialsOf(state), comparison: '=', threshold: 0, unit: '' },
    ],
  };
};

const threeWays = async (laboratory: Laboratory, { note, signal, scale }: BenchContext): Promise<Part> => {
  await using opened = new AsyncDisposableStack();
  const { bus } = laboratory;
  const rewards = Math.max(100, Math.round(rewardCount * scale));
  const tail = Math.max(10, Math.round(tailCount * scale));

  const clickhouse = opened.adopt(await laboratory.openDatabase('rebuild'), (open) => open.close());
  note(`appending ${rewards} rewards to the log, each a message, and projecting them`);
  await Promise.all([
    fillLog(bus, rewards, (index) => [rewardEvent(index)], signal),
    projectUntil(laboratory, clickhouse, () => rewards, signal),
  ]);
  note(`appending ${tail} more, which ClickHouse does not see`);
  await fillLog(bus, tail, (index) => [rewardEvent(rewards + index)], signal, rewards);
  const reader = opened.adopt(await laboratory.openReader('rebuild'), (open) => open.close());

  const ways: readonly Way[] = [
    { name: 'state: sums in ClickHouse, tail of the log', rounds: roundCount, rebuild: () => summed(laboratory, reader, signal) },
    {
      name: 'whole router: the same and its ledger',
      rounds: roundCount,
      rebuild: () => routerFrom(laboratory, { source: () => trusted(laboratory, reader), memory: memoryOf(laboratory, reader) }, signal),
    },
    {
      name: 'whole router: the log alone',
      rounds: 1,
      rebuild: () => routerFrom(laboratory, { source: async () => null, memory: noMemory }, signal),
    },
  ];
  const results: Result[] = [];
  for (const way of ways) {
    const result = await timed(way);
    note(`${way.name}: ${rounded(median(result.seconds))} s`);
    results.push(result);
  }
  const [first, router] = results;
  const differing = results.filter(({ state }) => first === undefined || !isSame(state, first.state)).length;
  return {
    settings: { rewards, tail, rounds: roundCount, ledgerMessages: laboratory.config.ledger.rebuildEntries },
    tables: [
      {
        title: 'Seconds until the state is there',
        columns: ['from', 'median', 'slowest', 'sequence', 'trials'],
        rows: results.map(({ name, seconds, state }) => [
          name,
          rounded(median(seconds)),
          rounded(Math.max(...seconds)),
          state.sequence,
          trialsOf(state),
        ]),
      },
    ],
    marks: [
      {
        name: `a router rebuilt from ${rewards} rewards in ClickHouse and the tail`,
        value: router === undefined ? null : rounded(median(router.seconds)),
        comparison: '<=',
        threshold: 5,
        unit: ' s',
      },
      { name: 'states that differ from the first', value: differing, comparison: '=', threshold: 0, unit: '' },
    ],
  };
};

type Way = { readonly name: string; readonly rounds: number; readonly rebuild: () => Promise<StateSnapshot> };
type Result = { readonly name: string; readonly seconds: readonly number[]; readonly state: StateSnapshot };

const timed = async ({ name, rounds, rebuild: run }: Way): Promise<Result> => {
  const seconds: number[] = [];
  let state = emptySnapshot;
  for (let round = 0; round < rounds; round++) {
    const beganMs = performance.now();
    state = await run();
    seconds.push((performance.now() - beganMs) / 1_000);
  }
  return { name, seconds, state };
};

const held = <State>(state: State | null): State => {
  if (state === null) throw new Error('expected ClickHouse to hold the state of this log, got none');
  return state;
};

const trusted = async ({ bus }: Laboratory, clickhouse: Clickhouse): Promise<StateSnapshot> =>
  held(await trustedSnapshot(clickhouse, bus.log));

const summed = async (laboratory: Laboratory, clickhouse: Clickhouse, signal: AbortSignal): Promise<StateSnapshot> =>
  foldTail(laboratory.bus.log, await trusted(laboratory, clickhouse), { signal });

/** What ClickHouse remembers of feedback; nothing when it is gone. */
const memoryOf = ({ bus }: Laboratory, clickhouse: Clickhouse): RequestMemory => ({
  eventsOf: (requests) => requestEvents(clickhouse, requests),
  unsettledFeedback: async (stretch) => unsettledFeedback(clickhouse, { ...stretch, createdAt: (await bus.log.bounds()).createdAt }),
});
const noMemory: RequestMemory = { eventsOf: async () => null, unsettledFeedback: async () => null };

/** As a worker starts it. */
const routerFrom = async (
  { bus, config, logger }: Laboratory,
  { source, memory }: { readonly source: () => Promise<StateSnapshot | null>; readonly memory: RequestMemory },
  signal: AbortSignal,
): Promise<StateSnapshot> => {
  const concern = routerConcern({ config, log: bus.log, logger, evidenceSource: source, memory });
  const { state } = await concern.rebuild({ atLeast: sequence(0), signal });
  return snapshotOf(state.routing);
};

const isSame = (a: StateSnapshot, b: StateSnapshot): boolean => summaryOf(a).fingerprint === summaryOf(b).fingerprint;

const trialsOf = (state: StateSnapshot): number => summaryOf(state).arms.reduce((sum, { all }) => sum + all.trials, 0);
