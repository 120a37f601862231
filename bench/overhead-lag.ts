import { steadyArrivals } from '../src/demo/arrivals.ts';
import { sendAll } from '../src/demo/send-all.ts';
import type { Target } from './http-load.ts';
import { scaled } from './overhead-targets.ts';
import type { OverheadYard } from './overhead-yard.ts';
import { sampleLag } from './projection-lag.ts';
import type { BenchContext, FigureTable } from './report.ts';
import { median, quantile, rounded } from './statistics.ts';

/** How far ClickHouse is behind the log while requests come at a steady rate. */
export const steadyRate = 500;
const steadySeconds = 25;
const lagEveryMs = 200;
const steadyConcurrency = 64;

export const measureLag = async (
  target: Target,
  yard: OverheadYard,
  prompt: () => string,
  context: BenchContext,
): Promise<{ readonly maxSeconds: number; readonly table: FigureTable }> => {
  const seconds = scaled(steadySeconds, context);
  context.note(`projection lag at ${steadyRate} requests a second for ${seconds} s`);
  const sampling = new AbortController();
  const samples = sampleLag(yard.bus.log, yard.memory.projectedSequence, lagEveryMs, sampling.signal);
  const done = await sendAll({
    count: steadyRate * seconds,
    arrivals: steadyArrivals(steadyRate),
    concurrency: steadyConcurrency,
    signal: context.signal,
    send: async () => {
      await target.ask(prompt());
    },
  }).finally(() => {
    sampling.abort();
  });
  context.signal.throwIfAborted();
  const lags = await samples;
  const maxSeconds = Math.max(...lags);
  return {
    maxSeconds,
    table: {
      title: `Projection lag: age of the oldest event that is not yet in ClickHouse, sampled every ${lagEveryMs} ms`,
      columns: ['requests a second', 'samples', 'median s', 'p99 s', 'max s', 'latest request sent after it was due, ms'],
      rows: [
        [
          Math.round((done.sent / done.elapsedMs) * 1_000),
          lags.length,
          rounded(median(lags)),
          rounded(quantile(lags, 0.99)),
          rounded(maxSeconds),
          Math.round(done.latestMs),
        ],
      ],
    },
  };
};
