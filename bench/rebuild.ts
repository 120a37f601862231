import { isDeepStrictEqual } from 'node:util';
import { routerConcern } from '../src/actors/router.ts';
import type { EvidenceAt } from '../src/domain/routing/evidence.ts';
import { sequence } from '../src/events/index.ts';
import type { Clickhouse } from '../src/projections/clickhouse.ts';
import { foldTail, trustedEvidence } from '../src/projections/evidence.ts';
import { fillLog, openLaboratory, type Laboratory } from './laboratory.ts';
import { rewardEvent } from './made-up-events.ts';
import { projectUntil } from './project-until.ts';
import type { Benchmark } from './report.ts';
import { median, rounded } from './statistics.ts';

/**
 * How long a router takes to know what it knew: a million rewards in ClickHouse and a tail that is only in the log. Three ways: the evidence alone (sum and tail),
 * the whole router as a worker starts it (evidence and the ledger of recent requests), and the same from the log alone, as when ClickHouse is gone. All have
 * to end at the same sequence with the same numbers, to the last digit.
 */
export const rebuild: Benchmark = {
  summary: 'a router rebuilt from a million rewards: ClickHouse and tail, and the log alone',
  run: async ({ note, signal, scale }) => {
    await using opened = new AsyncDisposableStack();
    const laboratory = opened.adopt(await openLaboratory(), (lab) => lab.close());
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

    const ways: readonly Way[] = [
      { name: 'evidence: sum in ClickHouse, tail of the log', rounds: roundCount, rebuild: () => summed(laboratory, clickhouse, signal) },
      {
        name: 'whole router: the same and its ledger',
        rounds: roundCount,
        rebuild: () => routerFrom(laboratory, () => trusted(laboratory, clickhouse), signal),
      },
      { name: 'whole router: the log alone', rounds: 1, rebuild: () => routerFrom(laboratory, async () => null, signal) },
    ];
    const results: Result[] = [];
    for (const way of ways) {
      const result = await timed(way);
      note(`${way.name}: ${rounded(median(result.seconds))} s`);
      results.push(result);
    }
    const differing = results.filter(({ state }) => !isSame(state, results[0]?.state)).length;
    const [, router] = results;
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
            [...state.evidence.values()].reduce((sum, { trials }) => sum + trials, 0),
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
      notMeasured: ['a ClickHouse server over the network; rewards that stand in the log among three times as many other events'],
    };
  },
};

const rewardCount = 1_000_000;
const tailCount = 20_000;
const roundCount = 5;

type Way = { readonly name: string; readonly rounds: number; readonly rebuild: () => Promise<EvidenceAt> };
type Result = { readonly name: string; readonly seconds: readonly number[]; readonly state: EvidenceAt };

const timed = async ({ name, rounds, rebuild: run }: Way): Promise<Result> => {
  const seconds: number[] = [];
  let state: EvidenceAt = { sequence: 0, evidence: new Map() };
  for (let round = 0; round < rounds; round++) {
    const beganMs = performance.now();
    state = await run();
    seconds.push((performance.now() - beganMs) / 1_000);
  }
  return { name, seconds, state };
};

const trusted = async ({ bus }: Laboratory, clickhouse: Clickhouse): Promise<EvidenceAt> => {
  const base = await trustedEvidence(clickhouse, bus.log);
  if (base === null) throw new Error('expected ClickHouse to hold evidence of this log, got none');
  return base;
};

const summed = async (laboratory: Laboratory, clickhouse: Clickhouse, signal: AbortSignal): Promise<EvidenceAt> =>
  foldTail(laboratory.bus.log, await trusted(laboratory, clickhouse), { signal });

/** As a worker starts it. */
const routerFrom = async (
  { bus, config, logger }: Laboratory,
  evidenceSource: () => Promise<EvidenceAt | null>,
  signal: AbortSignal,
): Promise<EvidenceAt> => {
  const concern = routerConcern({ config, log: bus.log, logger, evidenceSource });
  const { state } = await concern.rebuild({ atLeast: sequence(0), signal });
  return { sequence: state.routing.sequence, evidence: state.routing.evidence };
};

const isSame = (a: EvidenceAt, b: EvidenceAt | undefined): boolean =>
  b !== undefined && a.sequence === b.sequence && isDeepStrictEqual(sorted(a), sorted(b));

const sorted = ({ evidence }: EvidenceAt) => [...evidence].sort(([a], [b]) => (a < b ? -1 : 1));
