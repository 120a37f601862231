import { named } from '../src/domain/routing/policy-version.ts';
import { emptySnapshot } from '../src/domain/routing/snapshot.ts';
import { policySpecSchema } from '../src/events/schemas/policy.ts';
import { frozenCandidate } from '../src/replay/evaluation/candidate.ts';
import { evaluate as evaluateRecords } from '../src/replay/evaluation/evaluate.ts';
import { freezePeriod, readDecisions } from '../src/replay/logged/logged-decisions.ts';
import { readClickhouse } from '../src/projections/clickhouse.ts';
import { startDecisions } from './child-process.ts';
import { requestTimeoutMs } from './engine.ts';
import { madeUpArms } from './many-decisions.ts';
import type { Benchmark } from './report.ts';
import { median, rounded } from './statistics.ts';

/**
 * A static policy evaluated on a million logged decisions in ClickHouse, over the interface that the command reads, which another process serves as in a yard: all estimators of all quantities, tuning, 1,000 resamples, the sequences by betting. From the question
 * to the report.
 */
const decisionCount = 1_000_000;
const resamples = 1_000;
const rounds = 3;

export const evaluate: Benchmark = {
  summary: 'seconds to evaluate a static policy on a million decisions in ClickHouse',
  run: async ({ note, signal, scale }) => {
    await using opened = new AsyncDisposableStack();
    const count = Math.max(1_000, Math.round(decisionCount * scale));
    note(`making ${count} decisions in ClickHouse`);
    const engine = opened.adopt(await startDecisions(count), (started) => started.stop());
    const reader = opened.adopt(readClickhouse(engine.address, { requestTimeoutMs }), (open) => open.close());
    const seconds: number[] = [];
    let rss = 0;
    let sentence = '';
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted();
      const begun = performance.now();
      const frozen = await freezePeriod(reader, {});
      const report = await evaluateRecords({
        records: () => readDecisions(reader, frozen, { signal }),
        candidates: [frozenCandidate({ content, file: null, snapshot: emptySnapshot, atMs: frozen.firstAtMs, weights: null })],
        settings: { alpha: 0.05, seed: '1', resamples, weights: null, prices: {}, rewardModel: 'past', force: false },
        source: { kind: 'clickhouse', logCreatedAt: frozen.logCreatedAt },
        period: { fromSequence: frozen.fromSequence, toSequence: frozen.toSequence, tenant: null, outcomesUpTo: frozen.outcomesUpTo },
        command: 'bench evaluate',
        madeAt: '2026-01-01T00:00:00.000Z',
        largestWeight: 1 / spec.floor,
      });
      seconds.push((performance.now() - begun) / 1_000);
      rss = Math.max(rss, process.memoryUsage().rss);
      sentence = report.candidates[0]?.verdict.sentence ?? '';
      note(`${count} decisions: ${rounded(seconds.at(-1) ?? 0)} s`);
    }
    return {
      settings: { decisions: count, resamples, rounds, candidate: JSON.stringify(shares) },
      tables: [
        {
          title: 'Seconds from the question to the report',
          columns: ['decisions', 'median', 'slowest', 'resident MB', 'verdict'],
          rows: [[count, rounded(median(seconds)), rounded(Math.max(...seconds)), Math.round(rss / 1e6), sentence]],
        },
      ],
      marks: [
        { name: `a static policy on ${count} decisions`, value: rounded(median(seconds)), comparison: '<=', threshold: 15, unit: ' s' },
      ],
      notMeasured: ['a ClickHouse server over the network; engine and evaluation share one machine'],
    };
  },
};

const shares = { a: 0.1, b: 0.3, c: 0.6 };
const spec = policySpecSchema.parse({ kind: 'static', id: 'static', floor: 0.01, shares });
const content = named({
  spec,
  weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
  arms: madeUpArms.map((arm) => ({ arm, model: `m-${arm}`, enabled: true, contextTokens: 1_000_000, price: null, lacks: [] })),
});
