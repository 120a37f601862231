import { StringDecoder } from 'node:string_decoder';
import { createParser } from 'eventsource-parser';
import type { JsonObject } from '../../json.ts';
import type { Usage } from '../../requests/answer.ts';
import type { ProviderPart } from '../provider.ts';
import { failed, isLast, tooLarge } from '../parts.ts';
import { rawBytesMax, type AnswerReader } from './answer-reader.ts';
import { reportedError, type Sent } from './errors.ts';
import { answerBytes, chunkSchema, parseJson } from './wire.ts';

/**
 * An answer as server-sent events. It is whole once the provider has given a finish reason or said [DONE]; usage comes after the reason, in a frame
 * without choices, or never. A body that ends before either is `answer_truncated`.
 */
export const streamedAnswer = (maxAnswerBytes: number, sent: Sent): AnswerReader => {
  const decoder = new StringDecoder('utf8');
  let parts: ProviderPart[] = [];
  let closed = false;
  let finishReason: string | undefined;
  let usage: Usage | null = null;
  let bytes = 0;
  let frames = 0;

  const push = (part: ProviderPart) => {
    if (closed) return;
    closed = isLast(part);
    parts.push(part);
  };

  const onFrame = (data: string) => {
    if (closed) return;
    frames += 1;
    if (data === '[DONE]') {
      push({ kind: 'end', finishReason: finishReason ?? 'stop', usage });
      return;
    }
    const seen = chunkSchema.safeParse(parseJson(data));
    if (!seen.success) {
      push(failed({ code: 'provider_error', detail: `frame ${frames} of the stream is not a chat completion chunk in JSON` }));
      return;
    }
    const { error, choices } = seen.data;
    if (error !== undefined && error !== null) {
      push(failed(reportedError(error, sent)));
      return;
    }
    usage = seen.data.usage ?? usage;
    const choice = choices?.[0];
    if (choice?.delta) pushDelta(choice.delta.text, choice.delta.toolCalls);
    finishReason ??= choice?.finish_reason;
  };

  const pushDelta = (text: string, toolCalls: readonly JsonObject[]) => {
    bytes += answerBytes(text, toolCalls);
    if (bytes > maxAnswerBytes) {
      push(tooLarge(maxAnswerBytes));
      return;
    }
    if (text !== '') push({ kind: 'text', text });
    if (toolCalls.length > 0) push({ kind: 'tool-calls', toolCalls });
  };

  const parser = createParser({
    maxBufferSize: rawBytesMax(maxAnswerBytes),
    onEvent: (event) => {
      onFrame(event.data);
    },
    onError: (error) => {
      // The parser reports unknown fields too: those are passed over, as the standard says.
      if (error.type === 'max-buffer-size-exceeded') push(tooLarge(maxAnswerBytes));
    },
  });

  const lastOr = (part: ProviderPart): ProviderPart => (finishReason === undefined ? part : { kind: 'end', finishReason, usage });

  return {
    read: (chunk) => {
      parts = [];
      parser.feed(decoder.write(chunk));
      return parts;
    },
    end: () => [lastOr(truncatedAfter(frames))],
    cut: (reason) => lastOr(failed(reason)),
  };
};

const truncatedAfter = (frames: number): ProviderPart =>
  failed({ code: 'answer_truncated', detail: `the stream ended after ${frames} frames without a finish reason and without [DONE]` });
