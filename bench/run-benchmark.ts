import { describeMachine } from './machine.ts';
import type { BenchContext, Benchmark, BenchReport } from './report.ts';

/** Runs one benchmark and adds what every report has: when, how long, where. */
export const runBenchmark = async (name: string, benchmark: Benchmark, context: BenchContext): Promise<BenchReport> => {
  const startedAt = new Date();
  const findings = await benchmark.run(context);
  return {
    benchmark: name,
    startedAt: startedAt.toISOString(),
    elapsedSeconds: Math.round((Date.now() - startedAt.getTime()) / 1_000),
    machine: describeMachine(),
    ...findings,
  };
};
