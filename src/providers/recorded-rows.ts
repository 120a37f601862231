import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { microOf, nanoUsdOf } from '../domain/price.ts';
import { PermanentError } from '../errors.ts';
import { boundedLines } from '../bounded-lines.ts';

/**
 * Reads what was measured earlier: `*.jsonl` and `*.jsonl.gz` of a folder, in the order of their names, one row a line:
 * `{"prompt", "source"?, "arms": {"<model>": {"reward": 0..1, "cost": dollars}}}`. Other fields are passed over. Throws one error with file and line.
 */
export type RecordedRow = {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly prompt: string;
  readonly source: string | undefined;
  readonly arms: ReadonlyMap<string, Measurement>;
};
export type Measurement = { readonly rewardMicro: number; readonly costNanoUsd: number };

const bounds = { lineBytes: 4 * 1024 ** 2, fileBytes: 1024 ** 3 };

const rowSchema = z.object({
  prompt: z.string().min(1),
  source: z.string().optional(),
  arms: z.record(z.string().min(1), z.object({ reward: z.number().min(0).max(1), cost: z.number().min(0).max(1_000_000) })),
});

export async function* readRecordedRows(folder: string): AsyncGenerator<RecordedRow, void, undefined> {
  for (const file of await filesOf(folder)) {
    let line = 0;
    for await (const text of boundedLines(bytesOf(file), file, bounds)) {
      line += 1;
      if (text.trim() !== '') yield { file, line, ...parseRow(text, file, line) };
    }
  }
}

const filesOf = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new PermanentError('data-invalid', `${folder}: expected a folder that can be read`, { cause });
  });
  const files = names.filter((name) => /\.jsonl(\.gz)?$/.test(name)).sort();
  if (files.length === 0) throw new PermanentError('data-invalid', `${folder}: expected files *.jsonl or *.jsonl.gz, found none`);
  return files.map((name) => path.join(folder, name));
};

async function* bytesOf(file: string): AsyncGenerator<Buffer, void, undefined> {
  const stored = createReadStream(file);
  const text = file.endsWith('.gz') ? stored.pipe(createGunzip()) : stored;
  stored.on('error', (error) => text.destroy(error));
  try {
    yield* text as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new PermanentError('data-invalid', `${file}: expected a readable file${file.endsWith('.gz') ? ' in gzip form' : ''}`, { cause });
  } finally {
    stored.destroy();
  }
}

const parseRow = (text: string, file: string, line: number) => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new PermanentError('data-invalid', `${file}:${line}: expected a row in JSON`, { cause });
  }
  const row = rowSchema.safeParse(json);
  if (!row.success) {
    const issue = row.error.issues[0];
    throw new PermanentError('data-invalid', `${file}:${line}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a row'}`);
  }
  const { prompt, source, arms } = row.data;
  return {
    prompt,
    source,
    arms: new Map(
      Object.entries(arms).map(([model, { reward, cost }]) => [model, { rewardMicro: microOf(reward), costNanoUsd: nanoUsdOf(cost) }]),
    ),
  };
};
