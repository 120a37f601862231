import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { extractFeatures } from '../../src/domain/routing/features/extract.ts';
import { tenantSchema, type RequestFeatures } from '../../src/events/index.ts';

/**
 * Prompts with the measured reward and cost of each model: `val.jsonl.gz` and `test.jsonl.gz` (or without .gz) in one folder, a row `{"prompt", "arms": {"<model>": {"reward", "cost"}}}`. The form of the
 * ParetoBandit data (arXiv 2604.00136). Only the text of the prompt reaches the policy.
 */
export type RecordedPrompt = { readonly features: RequestFeatures; readonly reward: readonly number[]; readonly cost: readonly number[] };
export type RecordedSet = {
  readonly arms: readonly string[];
  readonly val: readonly RecordedPrompt[];
  readonly test: readonly RecordedPrompt[];
};

const rowSchema = z.looseObject({
  prompt: z.string(),
  arms: z.record(z.string(), z.looseObject({ reward: z.number().min(0).max(1), cost: z.number().min(0) })),
});

export const readRecordedSet = (folder: string): RecordedSet => {
  const val = readRows(folder, 'val');
  const test = readRows(folder, 'test');
  const arms = Object.keys(val[0]?.arms ?? {});
  if (arms.length < 2) throw new Error(`${folder}: expected rows with at least two models, got ${arms.length}`);
  return {
    arms,
    val: val.map((row, i) => promptOf(row, arms, `val, row ${i + 1}`)),
    test: test.map((row, i) => promptOf(row, arms, `test, row ${i + 1}`)),
  };
};

const readRows = (folder: string, name: string): readonly z.infer<typeof rowSchema>[] =>
  textOf(folder, name)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      const read = rowSchema.safeParse(parsed(line));
      if (read.success) return read.data;
      throw new Error(`${name}, line ${i + 1}: ${z.prettifyError(read.error)}`);
    });

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
};

const textOf = (folder: string, name: string): string => {
  for (const file of [`${name}.jsonl.gz`, `${name}.jsonl`])
    try {
      const bytes = readFileSync(path.join(folder, file));
      return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  throw new Error(`expected ${name}.jsonl.gz or ${name}.jsonl in ${folder}, got neither`);
};

const tenant = tenantSchema.parse('bench');

const promptOf = (row: z.infer<typeof rowSchema>, arms: readonly string[], where: string): RecordedPrompt => {
  const results = arms.map((arm) => {
    const result = row.arms[arm];
    if (result === undefined) throw new Error(`${where}: expected a result of ${arm}, got those of ${Object.keys(row.arms).join(', ')}`);
    return result;
  });
  return {
    features: extractFeatures({ messages: [{ role: 'user', content: row.prompt }], parameters: {}, tenant }),
    reward: results.map(({ reward }) => reward),
    cost: results.map(({ cost }) => cost),
  };
};
