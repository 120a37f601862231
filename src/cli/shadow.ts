import { z } from 'zod';
import { shadowedPairSchema, shadowedPairsSql, type ShadowedPair } from '../replay/logged/shadowed-pairs.ts';
import { rowsFromClickhouse } from './ask-clickhouse.ts';
import { configOption, jsonOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { dollars, grouped, milliseconds, nanoUsd, percent } from './numbers.ts';
import { fromOption, periodOf, toOption, type PeriodOptions } from './period.ts';
import { writeTable } from './table.ts';
import { requireTenant } from './tenant.ts';
import type { Terminal } from './terminal.ts';

type ShadowOptions = AddressOptions & PeriodOptions;

export const addShadow: AddCommand = (program, terminal) => {
  const command = program
    .command('shadow')
    .summary('compare arms on requests that two of them answered')
    .description(
      'Per pair of arms, requests that were answered by the first and also sent to the second: failures, latency, cost and similarity. Differences are second less first, with their 95 % interval (paired t). docs/shadow.md says how to read it.',
    )
    .addOption(fromOption())
    .addOption(toOption())
    .option('--tenant <name>', 'of one tenant')
    .addOption(jsonOption('one object'))
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: ShadowOptions) => shadow(terminal, options));
  withExamples(command, [
    ['./switchyard shadow', 'all there is'],
    ['./switchyard shadow --from 1d --tenant support-desk', 'the last day of one tenant'],
    ['./switchyard shadow --json | jq .pairs', 'for programs'],
  ]);
};

const shadow = async (terminal: Terminal, options: ShadowOptions): Promise<void> => {
  const located = locateYard(options);
  const signal = terminal.interrupted();
  const { where, parameters, inWords } = periodOf(options);
  await requireTenant(located, options.tenant, signal);
  const ask = async <Row>(statement: string, row: z.ZodType<Row>) => rowsFromClickhouse(located, statement, row, { parameters, signal });
  const pairs = await ask(shadowedPairsSql(where), shadowedPairSchema);
  const [totals] = await ask(totalsSql(where), totalsSchema);
  const [skipped] = await ask(skippedSql(where), skippedSchema);
  if (totals === undefined || skipped === undefined) throw new TypeError('expected a row of an aggregate without groups');
  await (options.json === true ? terminal.json({ ...totals, skipped, pairs }) : show(terminal, pairs, totals, skipped, inWords));
};

const count = z.coerce.number();

const totalsSql = (where: string): string => `
SELECT
    (SELECT count() FROM decisions WHERE ${where}) AS decided,
    count() AS shadows,
    sum(shadow_cost_nano_usd) AS costNanoUsd,
    sum(overrun_nano_usd) AS overrunNanoUsd
FROM shadows
WHERE ${where}`;
const totalsSchema = z.object({ decided: count, shadows: count, costNanoUsd: count, overrunNanoUsd: count });

/** Why a shadow that was due was not made, and what sets the limit. */
const reasons = {
  noSecondArm: 'the decision had no other candidate',
  cancelled: 'the caller went away',
  concurrency: 'shadow.concurrency',
  rate: 'shadow.perSecond',
  budget: 'shadow.budgetUsdPerHour',
  draining: 'the process was being stopped',
  unavailable: 'the log could not be asked for a part of the budget',
} as const;
type Reason = keyof typeof reasons;
const reasonNames = Object.keys(reasons) as readonly Reason[];

const skippedSql = (where: string): string =>
  `SELECT ${reasonNames
    .map((reason) => `sum(shadow_skips.${reason === 'noSecondArm' ? 'no_second_arm' : reason}) AS ${reason}`)
    .join(', ')} FROM (SELECT *, counted_to AS time FROM shadow_skips) AS shadow_skips WHERE ${where}`;
const skippedSchema = z.object({
  noSecondArm: count,
  cancelled: count,
  concurrency: count,
  rate: count,
  budget: count,
  draining: count,
  unavailable: count,
}) satisfies z.ZodType<Readonly<Record<Reason, number>>>;
type Skipped = z.infer<typeof skippedSchema>;

const show = async (
  terminal: Terminal,
  pairs: readonly ShadowedPair[],
  totals: z.infer<typeof totalsSchema>,
  skipped: Skipped,
  period: string,
): Promise<void> => {
  const due = reasonNames.reduce((sum, reason) => sum + skipped[reason], totals.shadows);
  if (totals.decided === 0 && due === 0) {
    await terminal.line(`no decisions${period}`);
    return;
  }
  if (pairs.length > 0) await showPairs(terminal, pairs);
  const share = totals.decided === 0 ? '' : ` (${((100 * totals.shadows) / totals.decided).toFixed(1)} %)`;
  await terminal.line(
    `${pairs.length > 0 ? '\n' : ''}${grouped(totals.shadows)} shadows of ${grouped(totals.decided)} decisions${share}, ${nanoUsd(totals.costNanoUsd)}${totals.overrunNanoUsd === 0 ? '' : `, of it ${nanoUsd(totals.overrunNanoUsd)} beyond what was reserved`}`,
  );
  if (due > totals.shadows) await showSkipped(terminal, skipped, due);
  if (pairs.some(({ simulated }) => simulated > 0))
    await terminal.line('simulated models took part: their figures are declared, not measured');
};

const right = (title: string) => ({ title, align: 'right' as const });

/** What the share asked for, and why less was made. */
const showSkipped = async (terminal: Terminal, skipped: Skipped, due: number): Promise<void> => {
  const made = due - reasonNames.reduce((sum, reason) => sum + skipped[reason], 0);
  await terminal.line(`${grouped(due)} were due by shadow.share; not made:\n`);
  await writeTable(
    terminal,
    [{ title: 'reason' }, right('shadows'), right('of those due'), { title: 'by' }],
    [
      ...reasonNames
        .filter((reason) => skipped[reason] > 0)
        .toSorted((a, b) => skipped[b] - skipped[a])
        .map((reason) => [reason, grouped(skipped[reason]), percent(skipped[reason] / due), reasons[reason]]),
      ['(made)', grouped(made), percent(made / due), ''],
    ],
  );
};

const showPairs = async (terminal: Terminal, pairs: readonly ShadowedPair[]): Promise<void> => {
  const hasScores = pairs.some(({ deliveredScore }) => deliveredScore !== null);
  await writeTable(
    terminal,
    [
      { title: 'delivered' },
      { title: 'shadow' },
      right('requests'),
      right('failed'),
      right('latency'),
      right('difference (95 %)'),
      right('first token'),
      right('cost'),
      right('difference (95 %)'),
      ...(hasScores ? [right('score')] : []),
      right('similarity'),
    ],
    pairs.map((pair) => [
      pair.deliveredArm,
      pair.shadowArm,
      grouped(pair.requests),
      `${grouped(pair.deliveredFailed)} / ${grouped(pair.shadowFailed)}`,
      besides(pair.deliveredLatencyMs, pair.shadowLatencyMs, milliseconds),
      withInterval(pair.latencyMsDifference, pair.latencyMsLow, pair.latencyMsHigh, signedMilliseconds),
      besides(pair.deliveredFirstTokenMs, pair.shadowFirstTokenMs, milliseconds),
      besides(pair.deliveredCostNanoUsd, pair.shadowCostNanoUsd, nanoUsd),
      withInterval(pair.costNanoUsdDifference, pair.costNanoUsdLow, pair.costNanoUsdHigh, signedNanoUsd),
      ...(hasScores ? [besides(pair.deliveredScore, pair.shadowScore, (score) => score.toFixed(3))] : []),
      pair.meanSimilarity?.toFixed(2) ?? '-',
    ]),
  );
};

const besides = (delivered: number | null, other: number | null, say: (value: number) => string): string =>
  delivered === null || other === null ? '-' : `${say(delivered)} / ${say(other)}`;

const withInterval = (difference: number | null, low: number | null, high: number | null, say: (value: number) => string): string => {
  if (difference === null) return '-';
  return low === null || high === null ? say(difference) : `${say(difference)} (${say(low)} to ${say(high)})`;
};

const sign = (value: number): string => (value < 0 ? '-' : '+');
const signedMilliseconds = (ms: number): string => `${sign(ms)}${milliseconds(Math.abs(ms))}`;
const signedNanoUsd = (nano: number): string => `${sign(nano)}${dollars(Math.abs(nano) / 1e9)}`;
