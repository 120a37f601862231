import type { RecordedRow } from './recorded-rows.ts';

/** What one way of choosing would have scored and cost on the same prompts, by the rows of the file. Means per request. */
export type Baseline = { readonly name: string; readonly reward: number; readonly costUsd: number };

/** Each model alone, and the best model of each prompt with hindsight: nobody can do better than that. */
export const baselinesOf = (rows: readonly RecordedRow[], models: readonly string[]): readonly Baseline[] => {
  if (rows.length === 0) return [];
  const mean = (name: string, choose: (row: RecordedRow) => { readonly reward: number; readonly costUsd: number }): Baseline => {
    let reward = 0;
    let costUsd = 0;
    for (const row of rows) {
      const chosen = choose(row);
      reward += chosen.reward;
      costUsd += chosen.costUsd;
    }
    return { name, reward: reward / rows.length, costUsd: costUsd / rows.length };
  };
  const of = (row: RecordedRow, model: string) => {
    const measured = row.arms.get(model);
    if (measured === undefined) throw new TypeError(`a row without the model ${model}`);
    return measured;
  };
  return [
    ...models.map((model) => mean(`always ${model}`, (row) => of(row, model))),
    mean('best of each prompt', (row) =>
      models.map((model) => of(row, model)).reduce((best, next) => (next.reward > best.reward || (next.reward === best.reward && next.costUsd < best.costUsd) ? next : best)),
    ),
  ];
};
