import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { show } from '../config/config-error.ts';
import type { OfflineRecord } from '../domain/routing/policies/offline-records.ts';
import { nameSchema } from '../events/index.ts';
import { messageSchema } from '../gateway/chat-schema.ts';
import type { JsonObject } from '../json.ts';
import { boundedLines } from '../bounded-lines.ts';
import { fileKind } from '../file-kind.ts';
import { usageError } from './exit-codes.ts';
import { openProgress } from './progress.ts';

/**
 * Reads requests that were answered and judged elsewhere, one a line: `{"arm", "messages" or "prompt", "reward": 0..1}`. Other keys are passed over, and so are empty lines. One line is in
 * memory at a time. A mistake ends the reading with a CommandError that names file, line and what was expected.
 */
const bounds = { lineBytes: 4 * 1024 ** 2, fileBytes: 64 * 1024 ** 3 };
const mostMessages = 100_000;
/** The bar is drawn anew after so many records. */
const stride = 1_000;

export type ReadRecord = OfflineRecord & { /** `<file>:<line>` */ readonly where: string };

/** `file`: `-` for stdin. */
export async function* readOfflineRecords(file: string): AsyncGenerator<ReadRecord, void, undefined> {
  const isStdin = file === '-';
  const name = isStdin ? 'stdin' : file;
  const progress = isStdin ? null : openProgress('bytes read', await sizeOf(file));
  let bytes = 0;
  let line = 0;
  const count = (chunk: Buffer) => (bytes += chunk.length);
  try {
    for await (const text of boundedLines(counted(isStdin ? process.stdin : createReadStream(file), name, count), name, bounds)) {
      line += 1;
      if (text.trim() !== '') yield { ...recordOf(text, `${name}:${line}`), where: `${name}:${line}` };
      if (line % stride === 0) progress?.update(bytes);
    }
  } finally {
    progress?.stop();
  }
}

const sizeOf = async (file: string): Promise<number> => {
  const found = await stat(file).catch((cause: unknown) => {
    throw usageError(`${file}: expected a file that can be read`, cause);
  });
  if (!found.isFile()) throw usageError(`${file}: expected a file, got ${fileKind(file) ?? 'something else'}`);
  return found.size;
};

async function* counted(
  chunks: AsyncIterable<unknown>,
  name: string,
  count: (chunk: Buffer) => void,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      count(chunk);
      yield chunk;
    }
  } catch (cause) {
    throw usageError(`${name}: expected a file that can be read`, cause);
  }
}

const recordSchema = z
  .object(
    {
      arm: nameSchema,
      reward: z.number('expected a number from 0 to 1').min(0, 'expected a number from 0 to 1').max(1, 'expected a number from 0 to 1'),
      prompt: z.string('expected text').min(1, 'expected text').optional(),
      messages: z
        .array(messageSchema, 'expected a list of messages')
        .min(1, 'expected at least one message')
        .max(mostMessages, `expected at most ${mostMessages} messages`)
        .optional(),
    },
    'expected an object such as {"arm":"large","prompt":"...","reward":0.8}',
  )
  .refine(
    ({ prompt, messages }) => (prompt === undefined) !== (messages === undefined),
    'expected either "messages" or "prompt", and not both',
  );

const recordOf = (text: string, where: string): OfflineRecord => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw usageError(`${where}: expected a record in JSON, got "${text.slice(0, 60)}"`, cause);
  }
  const read = recordSchema.safeParse(json, { reportInput: true });
  if (!read.success) {
    const [issue] = read.error.issues;
    const at = issue === undefined || issue.path.length === 0 ? '' : ` ${issue.path.join('.')}:`;
    throw usageError(`${where}:${at} ${issue?.message ?? 'expected a record'}, got ${seen(issue?.input)}`);
  }
  const { arm, reward, prompt, messages } = read.data;
  return {
    arm,
    reward,
    messages: messages === undefined ? [{ role: 'user', content: prompt ?? '' }] : (messages as readonly JsonObject[]),
  };
};

const seen = (input: unknown): string => (input === undefined ? 'nothing' : show(input));
