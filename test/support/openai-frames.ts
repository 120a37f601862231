import type { JsonObject } from '../../src/json.ts';

/** Answers in the form of OpenAI's chat API, as the mock provider sends them. */
type Usage = { readonly prompt_tokens: number; readonly completion_tokens: number };
type Content = {
  readonly usage?: Usage | null;
  readonly finishReason?: string | null;
};

const usualUsage: Usage = { prompt_tokens: 11, completion_tokens: 7 };
const head = { id: 'chatcmpl-mock', created: 1_700_000_000, model: 'mock' };

export const wholeBody = (answer: Content & { readonly text?: string | null; readonly toolCalls?: readonly JsonObject[] }): string =>
  JSON.stringify({
    ...head,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: answer.text ?? null,
          ...(answer.toolCalls === undefined ? {} : { tool_calls: answer.toolCalls }),
        },
        finish_reason: answer.finishReason === undefined ? 'stop' : answer.finishReason,
      },
    ],
    ...(answer.usage === null ? {} : { usage: answer.usage ?? usualUsage }),
  });

/** One server-sent event. */
export const frame = (data: JsonObject | string): string => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

export const deltaFrame = (delta: JsonObject, finishReason: string | null = null): string =>
  frame({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finishReason }] });

export const usageFrame = (usage: Usage = usualUsage): string => frame({ ...head, object: 'chat.completion.chunk', choices: [], usage });

export const doneFrame = frame('[DONE]');

/** A whole stream: role, texts, finish reason, usage, [DONE]. */
export const allFrames = (answer: Content & { readonly texts: readonly string[] }): string =>
  [
    deltaFrame({ role: 'assistant', content: '' }),
    ...answer.texts.map((content) => deltaFrame({ content })),
    deltaFrame({}, answer.finishReason === undefined ? 'stop' : answer.finishReason),
    ...(answer.usage === null ? [] : [usageFrame(answer.usage)]),
    doneFrame,
  ].join('');
