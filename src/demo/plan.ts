import { PermanentError } from '../errors.ts';
import { loadSettings } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { readRecordedRows, type RecordedRow } from '../providers/recorded-rows.ts';
import { madeUpPrompts } from './made-up-prompts.ts';
import type { YardConfig } from './private-yard.ts';
import { shuffled } from './shuffle.ts';

/** What a demo sends, and the yard that answers it. */
export type DemoPlan = {
  readonly prompts: readonly string[];
  readonly models: readonly string[];
  readonly config: YardConfig;
  /** The rows behind the prompts; null when the prompts are made up and nothing was measured. */
  readonly rows: readonly RecordedRow[] | null;
};

const promptsMax = 1_000_000;
const madeUpCount = 300;
const recordedContextTokens = 1_000_000;

/** Real prompts and the models that were measured on them, in an order that follows from the seed. */
export const planFromRecords = async (
  folder: string,
  options: { readonly limit?: number | undefined; readonly seed: number },
): Promise<DemoPlan> => {
  const all: RecordedRow[] = [];
  for await (const row of readRecordedRows(folder)) {
    all.push(row);
    if (all.length > promptsMax) throw new PermanentError('data-invalid', `${folder}: expected at most ${promptsMax} rows`);
  }
  const models = [...new Set(all.flatMap((row) => [...row.arms.keys()]))];
  // A row that lacks a model could not be answered by every arm, and no fair comparison could be made on it.
  const incomplete = all.find((row) => row.arms.size < models.length);
  if (incomplete !== undefined)
    throw new PermanentError(
      'data-invalid',
      `${incomplete.file}:${incomplete.line}: expected each of ${models.join(', ')}, got ${[...incomplete.arms.keys()].join(', ')}`,
    );
  const rows = shuffled(all, options.seed).slice(0, options.limit);
  return {
    prompts: rows.map(({ prompt }) => prompt),
    rows,
    models,
    config: {
      models: models.map((id) => ({
        id,
        provider: { kind: 'recorded', folder, model: id },
        // Each answer has the cost that was measured for it.
        price: { inputUsdPerMillionTokens: 0, outputUsdPerMillionTokens: 0 },
        contextTokens: recordedContextTokens,
      })),
      arms: models.map((id) => ({ id, model: id })),
    },
  };
};

/** Without data: made-up prompts and the simulated models of the default configuration. */
export const planFromSimulation = (options: { readonly limit?: number | undefined; readonly seed: number }): DemoPlan => {
  const { models, arms } = simulatedOnly(defaultConfig());
  return {
    prompts: madeUpPrompts(options.limit ?? madeUpCount, options.seed),
    rows: null,
    models: models.map(({ id }) => id),
    config: { models, arms },
  };
};

/** As the file of this clone has it. A key is given so that none is made in its data folder: nothing is hashed here. */
const defaultConfig = (): Config => loadSettings({ env: { SWITCHYARD_HASH_KEY: '0'.repeat(64) } }).config;

const simulatedOnly = (config: Config): Required<Pick<YardConfig, 'models' | 'arms'>> => {
  const models = config.models.filter(({ provider }) => provider.kind === 'simulated');
  const arms = config.arms.filter((arm) => arm.enabled && models.some(({ id }) => id === arm.model));
  if (arms.length === 0)
    throw new PermanentError(
      'config-invalid',
      'expected a simulated model with an arm in switchyard.yaml, found none; give real data with --data instead',
    );
  return { models, arms };
};
