import { oneAtATime } from './http-load.ts';
import { scaled, type Targets } from './overhead-targets.ts';
import type { BenchContext, FigureTable } from './report.ts';
import { median, quantile, rounded } from './statistics.ts';

/** One request at a time, in turns with direct calls: what the yard adds. */
export const singleCount = 3_000;

export const measureSingle = async (
  { direct, yard, peer }: Targets,
  prompt: () => string,
  context: BenchContext,
): Promise<{ readonly addedMs: number; readonly table: FigureTable }> => {
  const count = scaled(singleCount, context);
  const targets = [direct, yard, ...(peer === null ? [] : [peer])];
  context.note(
    `one at a time: ${count} requests to each of ${targets.map(({ name }) => name).join(', ')}, in turns, after a third as many to warm up`,
  );
  await oneAtATime(targets, Math.ceil(count / 3), prompt, context.signal);
  const times = await oneAtATime(targets, count, prompt, context.signal);
  const directMs = median(times[0] ?? []);
  return {
    addedMs: median(times[1] ?? []) - directMs,
    table: {
      title: 'One at a time, ms',
      columns: ['target', 'median', 'p99', 'added at the median'],
      rows: targets.map(({ name }, place) => {
        const timesMs = times[place] ?? [];
        return [name, rounded(median(timesMs)), rounded(quantile(timesMs, 0.99)), place === 0 ? null : rounded(median(timesMs) - directMs)];
      }),
    },
  };
};
