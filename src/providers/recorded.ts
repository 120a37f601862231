import { PermanentError } from '../errors.ts';
import type { ChatMessage } from '../requests/chat-request.ts';
import { createPlayer, type Script } from './playback.ts';
import type { Provider, ProviderCall } from './provider.ts';
import { readRecordedRows, type Measurement, type RecordedRow } from './recorded-rows.ts';

/**
 * A real model that answered earlier: the reward and the cost that were measured for it on this very prompt. The answer's text was not kept, and what is
 * said in its place says so. A prompt is known by the exact text of the last message of the user; any other is refused.
 */
export type RecordedAnswers = {
  readonly folder: string;
  readonly prompts: number;
  readonly models: ReadonlySet<string>;
  readonly find: (prompt: string, model: string) => Measurement | undefined;
  /** What the dearest answer of each model cost. */
  readonly dearestNanoUsd: ReadonlyMap<string, number>;
};

export type RecordedOptions = {
  readonly id: string;
  readonly answers: RecordedAnswers;
  /** Name of the model in the files. */
  readonly model: string;
  readonly firstTokenMs: number;
};

const promptsMax = 1_000_000;

/**
 * Reads a folder for all models that share it. Rows of one prompt are put together, so files may hold one model each; the same measurement twice is
 * one, two different ones of a model for a prompt are an error that names both places.
 */
export const loadRecordedAnswers = async (folder: string): Promise<RecordedAnswers> => {
  const rows = new Map<string, RecordedRow>();
  const models = new Set<string>();
  const dearestNanoUsd = new Map<string, number>();
  for await (const row of readRecordedRows(folder)) {
    const known = rows.get(row.prompt);
    rows.set(row.prompt, known === undefined ? row : merged(known, row));
    for (const [model, { costNanoUsd }] of row.arms) {
      models.add(model);
      dearestNanoUsd.set(model, Math.max(costNanoUsd, dearestNanoUsd.get(model) ?? 0));
    }
    if (rows.size > promptsMax)
      throw new PermanentError('data-invalid', `${row.file}:${row.line}: expected at most ${promptsMax} prompts in ${folder}`);
  }
  return { folder, prompts: rows.size, models, find: (prompt, model) => rows.get(prompt)?.arms.get(model), dearestNanoUsd };
};

export const recorded = ({ id, answers, model, firstTokenMs }: RecordedOptions): Provider => {
  if (!answers.models.has(model))
    throw new PermanentError(
      'config-invalid',
      `model ${id}: expected one of the models in ${answers.folder} (${[...answers.models].join(', ')}), got ${model}`,
    );
  const player = createPlayer();
  const scriptOf = (call: ProviderCall): Script => {
    const prompt = lastUserText(call.messages);
    const found = prompt === undefined ? undefined : answers.find(prompt, model);
    return found === undefined ? refusal(answers, firstTokenMs) : scriptFrom(found, model, firstTokenMs);
  };
  return {
    id,
    simulated: true,
    dearestAnswerNanoUsd: answers.dearestNanoUsd.get(model) ?? 0,
    answer: (call) => player.play(call, scriptOf(call)),
    close: player.close,
  };
};

const scriptFrom = ({ rewardMicro, costNanoUsd }: Measurement, model: string, atMs: number): Script => ({
  pieces: [
    { text: `[recorded ${model}]`, atMs },
    { text: ` measured reward ${rewardMicro / 1e6}, cost $${(costNanoUsd / 1e9).toFixed(9)}; the text of the answer was not kept.`, atMs },
  ],
  last: { kind: 'end', finishReason: 'stop', usage: null, costNanoUsd, measuredScoreMicro: rewardMicro },
  lastAtMs: atMs,
});

const refusal = ({ prompts }: RecordedAnswers, atMs: number): Script => ({
  pieces: [],
  last: {
    kind: 'error',
    error: {
      code: 'provider_refused',
      detail: `the last message of the user is none of the ${prompts} recorded prompts, or was not measured for this model`,
    },
  },
  lastAtMs: atMs,
});

const merged = (known: RecordedRow, row: RecordedRow): RecordedRow => {
  const arms = new Map(known.arms);
  for (const [model, measured] of row.arms) {
    const earlier = arms.get(model);
    if (earlier !== undefined && (earlier.rewardMicro !== measured.rewardMicro || earlier.costNanoUsd !== measured.costNanoUsd))
      throw new PermanentError(
        'data-invalid',
        `${row.file}:${row.line}: ${model} was measured otherwise for the same prompt at ${known.file}:${known.line}`,
      );
    arms.set(model, measured);
  }
  return { ...known, arms };
};

const lastUserText = (messages: readonly ChatMessage[]): string | undefined => {
  const content = messages.findLast((message) => message.role === 'user')?.['content'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part: unknown) => (typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? part.text : ''))
    .join('');
};
