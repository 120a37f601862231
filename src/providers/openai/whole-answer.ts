import type { ProviderPart } from '../provider.ts';
import { failed, tooLarge } from '../parts.ts';
import { rawBytesMax, type AnswerReader } from './answer-reader.ts';
import { reportedError, type Sent } from './errors.ts';
import { answerBytes, parseJson, wholeSchema } from './wire.ts';

/** An answer in one piece: `application/json`. */
export const wholeAnswer = (maxAnswerBytes: number, sent: Sent): AnswerReader => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  return {
    read: (chunk) => {
      bytes += chunk.length;
      if (bytes > rawBytesMax(maxAnswerBytes)) return [tooLarge(maxAnswerBytes)];
      chunks.push(chunk);
      return [];
    },
    end: () => partsOf(Buffer.concat(chunks).toString('utf8'), maxAnswerBytes, sent),
    cut: failed,
  };
};

const partsOf = (body: string, maxAnswerBytes: number, sent: Sent): readonly ProviderPart[] => {
  const json = parseJson(body);
  // Where the body ends with the connection, HTTP does not know a cut one from a whole one.
  if (json === undefined && /^\s*\{/.test(body) && !/\}\s*$/.test(body))
    return [failed({ code: 'answer_truncated', detail: 'the body ended in the middle of its JSON' })];
  const seen = wholeSchema.safeParse(json);
  if (!seen.success) return [failed({ code: 'provider_error', detail: 'the answer is not a chat completion in JSON' })];
  const { error, choices, usage } = seen.data;
  if (error !== undefined && error !== null) return [failed(reportedError(error, sent))];
  const choice = choices?.[0];
  if (choice === undefined) return [failed({ code: 'provider_error', detail: 'the answer holds no choice' })];

  const { text, toolCalls } = choice.message;
  if (answerBytes(text, toolCalls) > maxAnswerBytes) return [tooLarge(maxAnswerBytes)];
  return [
    ...(text === '' ? [] : [{ kind: 'text', text } as const]),
    ...(toolCalls.length === 0 ? [] : [{ kind: 'tool-calls', toolCalls } as const]),
    // Some local servers give no reason; the body was complete, so the answer is.
    { kind: 'end', finishReason: choice.finish_reason ?? 'stop', usage: usage ?? null },
  ];
};
