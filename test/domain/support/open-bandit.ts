import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Sample } from '../../../src/domain/evaluation/sample.ts';

/** A folder with the data set `openbandit-men`: two logs (`random/men.csv.gz`, `bts/men.csv.gz`) and, in `golden.json`, what was computed of them elsewhere. */
export type Golden = {
  readonly men_bts_action_dist_n_sim100000_seed12345: readonly (readonly number[])[];
  readonly 'tuned lambdas [1,2,5,10,50,100,500,1000,5000,10000,inf]': Readonly<
    Record<Direction, Readonly<Record<string, { readonly value: number; readonly lambda: number; readonly relative_ee: number }>>>
  >;
} & Readonly<Record<Direction, GoldenDirection>>;

export type Direction = `men:${Policy}->${Policy}`;
type Policy = 'random' | 'bts';

type GoldenDirection = {
  readonly n: number;
  readonly clicks_behavior: number;
  readonly on_policy_value: number;
  readonly w_mean: number;
  readonly w_max: number;
  readonly ess: number;
  readonly estimators: Readonly<
    Record<
      string,
      {
        readonly value: number;
        readonly rel_to_behavior: number;
        readonly relative_ee: number;
        readonly student_t_lower_5pct: number;
        readonly bernstein_lower_5pct: number;
      }
    >
  >;
};

/** The file holds Infinity, which JSON has no word for. */
export const readGolden = (folder: string): Golden =>
  JSON.parse(readFileSync(path.join(folder, 'golden.json'), 'utf8').replaceAll(/\bInfinity\b/g, '1e999')) as Golden;

type Row = { readonly item: number; readonly slot: number; readonly click: number; readonly propensity: number };

const readRows = (folder: string, policy: Policy): readonly Row[] => {
  const [header, ...lines] = gunzipSync(readFileSync(path.join(folder, policy, 'men.csv.gz')))
    .toString()
    .trim()
    .split('\n');
  const columns = header!.split(',');
  const [item, position, click, propensity] = ['item_id', 'position', 'click', 'propensity_score'].map((name) => columns.indexOf(name));
  return lines.map((line) => {
    const values = line.split(',').map(Number);
    return { item: values[item!]!, slot: values[position!]! - 1, click: values[click!]!, propensity: values[propensity!]! };
  });
};

/** The log of one policy, the other as candidate, with the goldens' reward model q(item) = (clicks of the item + 100 x mean) / (its records + 100). */
export const openBanditSample = (folder: string, golden: Golden, logger: Policy): Sample => {
  const rows = readRows(folder, logger);
  const shares = golden.men_bts_action_dist_n_sim100000_seed12345.map((slots) =>
    slots.map((share) => (logger === 'random' ? share : 1 / 34)),
  );
  const mean = rows.reduce((sum, { click }) => sum + click, 0) / rows.length;
  const counts = shares.map(() => ({ records: 100, clicks: 100 * mean }));
  for (const { item, click } of rows) {
    counts[item]!.records++;
    counts[item]!.clicks += click;
  }
  const model = counts.map(({ records, clicks }) => clicks / records);
  const expected = [0, 1, 2].map((slot) => model.reduce((sum, value, item) => sum + shares[item]![slot]! * value, 0));
  return {
    size: rows.length,
    outcome: Float64Array.from(rows, ({ click }) => click),
    logged: Float64Array.from(rows, ({ propensity }) => propensity),
    candidate: Float64Array.from(rows, ({ item, slot }) => shares[item]![slot]!),
    predicted: Float64Array.from(rows, ({ item }) => model[item]!),
    expected: Float64Array.from(rows, ({ slot }) => expected[slot]!),
    unsupported: new Float64Array(rows.length),
    weightLimit: new Float64Array(rows.length).fill(Infinity),
    cluster: Uint32Array.from(rows.keys()),
  };
};
