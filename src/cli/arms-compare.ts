import { z } from 'zod';
import { holmAdjusted } from '../domain/comparison/holm.ts';
import { welchDifference, type PlainMean } from '../domain/comparison/plain-mean.ts';
import { differenceOf, leastEffective, weightedMean, type WeightedSums } from '../domain/comparison/weighted-mean.ts';
import { confidence, forEachMeasure, measureNames, measures, plainSchema, plainSql, routedSql, type Measure } from './arms-sql.ts';
import { rowsFromClickhouse } from './ask-clickhouse.ts';
import { usageError } from './exit-codes.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { periodOf, type PeriodOptions } from './period.ts';
import { showComparison } from './show-comparison.ts';
import { requireTenant } from './tenant.ts';
import type { Terminal } from './terminal.ts';

/**
 * Pairs of arms over the requests that could have been given to either: what the mean of each measure would have been, had all of them been answered by the first or by the second
 * (src/domain/comparison/weighted-mean.ts), and beside it the plain means of what they did answer (Welch's t test), which differ also where the policy gave the two different requests.
 * Differences are second less first. The p values of a measure are adjusted over the pairs that are shown.
 */
export type Pair = {
  readonly first: string;
  readonly second: string;
  readonly simulated: number;
  readonly measures: Readonly<Record<Measure, Comparison>>;
};

export type Comparison = { readonly answers: Sides<number>; readonly weighted: Weighted | null; readonly plain: Compared | null };
export type Sides<Value> = { readonly first: Value; readonly second: Value };
export type Compared = Sides<number> & {
  readonly difference: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly p: number | null;
  readonly pAdjusted: number | null;
};
export type Weighted = Compared & { readonly effective: Sides<number>; readonly isReliable: boolean };

export const compareArms = async (terminal: Terminal, arms: readonly string[], options: AddressOptions & PeriodOptions): Promise<void> => {
  const [first, second] = arms;
  if (arms.length !== 0 && (arms.length !== 2 || first === second))
    throw usageError(`--compare: expected two arms, or none for all pairs; got ${arms.length === 2 ? 'the same twice' : arms.length}`);
  const located = locateYard(options);
  const { where, parameters } = periodOf(options);
  const signal = terminal.interrupted();
  await requireTenant(located, options.tenant, signal);
  const chosen = first === undefined || second === undefined ? null : { first, second };
  const rows = await rowsFromClickhouse(located, pairsSql(where, chosen !== null), rowSchema, {
    parameters: { ...parameters, ...chosen },
    signal,
  });
  const pairs = adjusted(rows.map(pairOf));
  const known = new Set([...located.settings.config.arms.map(({ id }) => id), ...pairs.flatMap((pair) => [pair.first, pair.second])]);
  const unknown = arms.find((arm) => !known.has(arm));
  if (unknown !== undefined && pairs.length === 0)
    throw usageError(`--compare: expected arms such as ${[...known].slice(0, 8).join(', ')}; got "${unknown.slice(0, 128)}"`);
  await (options.json === true ? terminal.json({ confidence, leastEffective, pairs }) : showComparison(terminal, pairs, arms));
};

/** `is_second`: which of the two did answer. */
const pairsSql = (where: string, isChosen: boolean): string => `
SELECT
    r.first AS first,
    r.second AS second,
    countIf(r.simulated) AS simulated,
    ${measureNames
      .flatMap((measure) => [
        `${sumsSql(measure, 0)} AS ${measure}_first`,
        `${sumsSql(measure, 1)} AS ${measure}_second`,
        `${plainSql(measure, 'NOT r.is_second')} AS ${measure}_first_plain`,
        `${plainSql(measure, 'r.is_second')} AS ${measure}_second_plain`,
      ])
      .join(',\n    ')}
FROM
(
    SELECT
        *,
        1 / propensity AS weight,
        arrayJoin(others) AS other,
        ${isChosen ? '{first:String}' : 'least(arm, other)'} AS first,
        ${isChosen ? '{second:String}' : 'greatest(arm, other)'} AS second,
        arm = second AS is_second
    FROM (${routedSql(where)}) AS routed
) AS r
WHERE r.arm IN (r.first, r.second) AND r.other IN (r.first, r.second)
GROUP BY r.first, r.second
ORDER BY r.first, r.second`;

/** In the order of WeightedSums. */
const sumsSql = (measure: Measure, side: 0 | 1): string => {
  const { value, of } = measures[measure];
  const condition = `${of} AND r.is_second = ${side}`;
  const y = `toFloat64(${value})`;
  const terms = [
    '1.',
    'r.weight',
    'r.weight * r.weight',
    `r.weight * ${y}`,
    `r.weight * r.weight * ${y}`,
    `r.weight * r.weight * ${y} * ${y}`,
  ];
  return `[${terms.map((term) => `sumIf(${term}, ${condition})`).join(', ')}]`;
};

const sums = z
  .tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()])
  .transform(([answers, weight, weightSquare, value, valueOfSquares, squareOfSquares]): WeightedSums => ({
    answers,
    weight,
    weightSquare,
    value,
    valueOfSquares,
    squareOfSquares,
  }));
const rowSchema = z
  .object({ first: z.string(), second: z.string(), simulated: z.coerce.number() })
  .catchall(z.unknown())
  .transform(({ first, second, simulated, ...rest }) => ({
    first,
    second,
    simulated,
    measures: forEachMeasure((measure) => ({
      first: sums.parse(rest[`${measure}_first`]),
      second: sums.parse(rest[`${measure}_second`]),
      plain: { first: plainSchema.parse(rest[`${measure}_first_plain`]), second: plainSchema.parse(rest[`${measure}_second_plain`]) },
    })),
  }));
type Row = z.infer<typeof rowSchema>;

const pairOf = ({ first, second, simulated, measures: of }: Row): Pair => ({
  first,
  second,
  simulated,
  measures: forEachMeasure((measure) => {
    const row = of[measure];
    return { answers: { first: row.first.answers, second: row.second.answers }, weighted: weightedOf(row), plain: plainOf(row.plain) };
  }),
});

const weightedOf = ({ first, second }: Sides<WeightedSums>): Weighted | null => {
  const one = weightedMean(first);
  const other = weightedMean(second);
  if (one === null || other === null) return null;
  return {
    first: one.mean,
    second: other.mean,
    ...differenceOf(one, other, confidence),
    pAdjusted: null,
    effective: { first: one.effective, second: other.effective },
    isReliable: Math.min(one.effective, other.effective) >= leastEffective,
  };
};

const plainOf = ({ first, second }: Sides<PlainMean | null>): Compared | null =>
  first === null || second === null
    ? null
    : { first: first.mean, second: second.mean, ...welchDifference(first, second, confidence), pAdjusted: null };

/** Over the pairs, each measure by itself. */
const adjusted = (pairs: readonly Pair[]): readonly Pair[] => {
  const over = (measure: Measure, kind: 'weighted' | 'plain') => holmAdjusted(pairs.map((pair) => pair.measures[measure][kind]?.p ?? null));
  const all = forEachMeasure((measure) => ({ weighted: over(measure, 'weighted'), plain: over(measure, 'plain') }));
  return pairs.map((pair, index) => ({
    ...pair,
    measures: forEachMeasure((measure) => {
      const { answers, weighted, plain: beside } = pair.measures[measure];
      return {
        answers,
        weighted: weighted === null ? null : { ...weighted, pAdjusted: all[measure].weighted[index] ?? null },
        plain: beside === null ? null : { ...beside, pAdjusted: all[measure].plain[index] ?? null },
      };
    }),
  }));
};
