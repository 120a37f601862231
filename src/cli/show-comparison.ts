import { leastEffective } from '../domain/comparison/weighted-mean.ts';
import type { Compared, Comparison, Pair } from './arms-compare.ts';
import { confidence, measureNames, type Measure } from './arms-sql.ts';
import { dollars, grouped, milliseconds, percent } from './numbers.ts';
import { writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** The comparison for people: a table for each pair, and in words what was compared. */
export const showComparison = async (terminal: Terminal, pairs: readonly Pair[], asked: readonly string[]): Promise<void> => {
  if (pairs.length === 0) {
    await terminal.line(
      `no request of this period that ${asked.length === 0 ? 'two arms' : asked.join(' and ')} could have answered, and one of them did`,
    );
    return;
  }
  for (const pair of pairs) {
    const { answers } = pair.measures.reward;
    await terminal.line(
      terminal.style('bold', `${pair.second} against ${pair.first}`) +
        `: requests that both could have answered; ${grouped(answers.first)} were by ${pair.first}, ${grouped(answers.second)} by ${pair.second}`,
    );
    if (Math.min(answers.first, answers.second) === 0) await terminal.line('one of the two answered none of them: nothing to compare');
    else
      await writeTable(
        terminal,
        columns(pair),
        measureNames.map((measure) => rowOf(measure, pair.measures[measure])),
      );
    await terminal.line();
  }
  await terminal.line(
    `Weighted: had all these requests been answered by the one arm, or all by the other (answers weighted by 1 / propensity). Plain: the requests that each was given. Differences are second less first, with ${percent(confidence)} intervals.`,
  );
  if (pairs.length > 1) await terminal.line(`p is adjusted over ${pairs.length} pairs (Holm), for each measure by itself.`);
  if (pairs.some(isUnreliable))
    await terminal.line(
      `! fewer than ${leastEffective} effective answers on a side: a few answers of small propensity decide, the interval is too narrow; do not rely on it`,
    );
  if (pairs.some(({ simulated }) => simulated > 0))
    await terminal.line('simulated models took part: their figures are declared, not measured');
};

const isUnreliable = ({ measures }: Pair): boolean => measureNames.some((measure) => measures[measure].weighted?.isReliable === false);

const right = (title: string) => ({ title, align: 'right' as const });
const columns = ({ first, second }: Pair) => [
  { title: 'measure' },
  right(first),
  right(second),
  right('weighted difference'),
  right('p'),
  right('effective answers'),
  right('plain difference'),
  right('p'),
];

const rowOf = (measure: Measure, { weighted, plain }: Comparison): readonly string[] => {
  const say = sayings[measure];
  return [
    names[measure],
    weighted === null ? '-' : say(weighted.first),
    weighted === null ? '-' : say(weighted.second),
    differenceText(weighted, say),
    pText(weighted),
    weighted === null
      ? '-'
      : `${grouped(weighted.effective.first)} / ${grouped(weighted.effective.second)}${weighted.isReliable ? '' : ' !'}`,
    differenceText(plain, say),
    pText(plain),
  ];
};

const names: Readonly<Record<Measure, string>> = {
  reward: 'reward',
  success: 'success',
  streaming: 'streaming',
  cache: 'cache',
  cost: 'cost',
  failureRate: 'failure rate',
  costNanoUsd: 'mean cost',
  latencyMs: 'mean latency',
};

const asShare = (value: number): string => value.toFixed(3);
const asDollars = (nano: number): string => dollars(nano / 1e9);
const sayings: Readonly<Record<Measure, (value: number) => string>> = {
  reward: asShare,
  success: asShare,
  streaming: asShare,
  cache: asShare,
  cost: asShare,
  failureRate: asShare,
  costNanoUsd: asDollars,
  latencyMs: milliseconds,
};

const differenceText = (compared: Compared | null, say: (value: number) => string): string => {
  if (compared === null) return '-';
  const { difference, low, high } = compared;
  const signed = (value: number) => `${value < 0 ? '-' : '+'}${say(Math.abs(value))}`;
  return low === null || high === null ? signed(difference) : `${signed(difference)} (${signed(low)} to ${signed(high)})`;
};

const pText = (compared: Compared | null): string => {
  if (compared === null || compared.pAdjusted === null) return '-';
  return compared.pAdjusted < 0.0001 ? '< 0.0001' : compared.pAdjusted.toFixed(4);
};
