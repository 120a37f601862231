import type { Measurement, RecordedRow } from '../providers/recorded-rows.ts';

/** What one way of choosing would have scored and cost on the same prompts, by the rows of the file. Means per request; reward 0..1. */
export type Baseline = { readonly name: string; readonly reward: number; readonly costUsd: number };

/** Each model alone, and the best model of each prompt, known only with hindsight: nobody can do better than that. */
export const baselinesOf = (rows: readonly Pick<RecordedRow, 'arms'>[], models: readonly string[]): readonly Baseline[] => {
  if (rows.length === 0) return [];
  const mean = (name: string, choose: (row: Pick<RecordedRow, 'arms'>) => Measurement): Baseline => {
    const chosen = rows.map(choose);
    const sum = (part: keyof Measurement) => chosen.reduce((total, measured) => total + measured[part], 0);
    return { name, reward: sum('rewardMicro') / 1e6 / rows.length, costUsd: sum('costNanoUsd') / 1e9 / rows.length };
  };
  return [
    ...models.map((model) => mean(`always ${model}`, (row) => measurementOf(row, model))),
    mean('best of each prompt', (row) => models.map((model) => measurementOf(row, model)).reduce(better)),
  ];
};

const measurementOf = ({ arms }: Pick<RecordedRow, 'arms'>, model: string): Measurement => {
  const measured = arms.get(model);
  if (measured === undefined) throw new TypeError(`expected each row to hold ${model}`);
  return measured;
};

/** The higher reward; of equal ones the cheaper. */
const better = (a: Measurement, b: Measurement): Measurement =>
  b.rewardMicro > a.rewardMicro || (b.rewardMicro === a.rewardMicro && b.costNanoUsd < a.costNanoUsd) ? b : a;
