import { EventSourceParserStream } from 'eventsource-parser/stream';
import { z } from 'zod';
import { CommandError, exitCodes } from './exit-codes.ts';

/**
 * Reads an answer of POST /v1/chat/completions, streamed or whole. An answer is whole when the server said so: a stream that ends without `[DONE]`
 * is an error, whatever text has come.
 */
export type ChatAnswer = {
  readonly requestId: string;
  readonly arm: string;
  readonly model: string;
  readonly cache: string;
  readonly simulated: boolean;
  /** This is the recorded answer of an earlier attempt with the same request id. */
  readonly repeated: boolean;
  readonly text: string;
  /** As the API has them; null when there are none. */
  readonly toolCalls: unknown[] | null;
  readonly finishReason: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costNanoUsd: number;
};

type Body = Pick<ChatAnswer, 'text' | 'toolCalls' | 'finishReason'> & { readonly end: z.infer<typeof endSchema> };

const largestFrameCharacters = 64 * 1024 * 1024;

const endSchema = z.object({
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }),
  switchyard: z.object({ cost_nano_usd: z.number(), repeated: z.boolean() }),
});

const wholeSchema = endSchema.extend({
  choices: z.tuple([
    z.object({
      message: z.object({ content: z.string().nullable(), tool_calls: z.array(z.unknown()).optional() }),
      finish_reason: z.string(),
    }),
  ]),
});

const chunkSchema = z.object({
  choices: z.array(
    z.object({
      delta: z.object({ content: z.string().nullish(), tool_calls: z.array(z.unknown()).nullish() }),
      finish_reason: z.string().nullable(),
    }),
  ),
});

const errorSchema = z.object({ error: z.object({ message: z.string(), code: z.string(), type: z.string() }) });

export const readChatAnswer = async (response: Response, onText: (text: string) => Promise<void>): Promise<ChatAnswer> => {
  if (!response.ok) throw await refusal(response);
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const { end, ...body } = await (isStream ? readStream(response, onText) : readWhole(response, onText)).catch((error: unknown) => {
    throw explainReading(error, response);
  });
  const header = (name: string) => response.headers.get(name) ?? '';
  return {
    requestId: header('x-request-id'),
    arm: header('x-switchyard-arm'),
    model: header('x-switchyard-model'),
    cache: header('x-switchyard-cache'),
    simulated: header('x-switchyard-simulated') === 'true',
    repeated: end.switchyard.repeated,
    ...body,
    promptTokens: end.usage.prompt_tokens,
    completionTokens: end.usage.completion_tokens,
    costNanoUsd: end.switchyard.cost_nano_usd,
  };
};

const readWhole = async (response: Response, onText: (text: string) => Promise<void>): Promise<Body> => {
  const { choices, ...end } = wholeSchema.parse(await response.json());
  const { message, finish_reason: finishReason } = choices[0];
  const text = message.content ?? '';
  await onText(text);
  return { text, toolCalls: message.tool_calls ?? null, finishReason, end };
};

const readStream = async (response: Response, onText: (text: string) => Promise<void>): Promise<Body> => {
  if (response.body === null) throw truncated();
  const frames = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: largestFrameCharacters }));
  let text = '';
  const toolCalls: unknown[] = [];
  let finishReason = '';
  let end: Body['end'] | undefined;
  for await (const { data } of frames) {
    if (data === '[DONE]') {
      if (end === undefined) throw truncated();
      return { text, toolCalls: toolCalls.length === 0 ? null : toolCalls, finishReason, end };
    }
    const frame: unknown = JSON.parse(data);
    const failed = errorSchema.safeParse(frame);
    if (failed.success) throw failure(failed.data.error);
    const [choice] = chunkSchema.parse(frame).choices;
    if (choice === undefined) end = endSchema.parse(frame);
    else {
      const piece = choice.delta.content ?? '';
      text += piece;
      toolCalls.push(...(choice.delta.tool_calls ?? []));
      finishReason = choice.finish_reason ?? finishReason;
      if (piece !== '') await onText(piece);
    }
  }
  throw truncated();
};

/** What is not in the form of an answer was made by somebody else; a connection that breaks makes `fetch` throw a TypeError with a cause. */
const explainReading = (error: unknown, response: Response): unknown => {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return somethingElse(response);
  return error instanceof TypeError && error.cause instanceof Error ? truncated() : error;
};

const somethingElse = ({ status, url }: Response): CommandError =>
  new CommandError(exitCodes.failed, `expected an answer of Switchyard's gateway, got status ${status} and something else at ${url}`);

const truncated = (): CommandError =>
  new CommandError(
    exitCodes.failed,
    'the connection ended before the answer was whole; with --request-id a second call gives the recorded answer',
  );

const failure = ({ message, code, type }: z.infer<typeof errorSchema>['error']): CommandError =>
  new CommandError(type === 'server_error' || type === 'rate_limit_error' ? exitCodes.failed : exitCodes.usage, `${message} (${code})`);

const refusal = async (response: Response): Promise<CommandError> => {
  const text = await response.text();
  const parsed = errorSchema.safeParse(parseOrNull(text));
  if (parsed.success) return failure(parsed.data.error);
  return somethingElse(response);
};

const parseOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
