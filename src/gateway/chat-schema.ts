import { z } from 'zod';
import type { Json, JsonObject } from '../json.ts';
import type { ChatMessage } from '../requests/chat-request.ts';
import { parameterShape } from './chat-parameters.ts';
import { readJson, refuse, type Read } from './json-border.ts';

/**
 * The body of OpenAI's chat completions. Strict on what the yard relies on and on what OpenAI's reference gives a type and a range (chat-parameters.ts), and lenient on the rest: parameters reach the
 * provider unchanged. On the measured path: about 5 us for a body of half a kilobyte, of which zod takes 2.
 */
export type ChatBody = {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly parameters: JsonObject;
  readonly streamed: boolean;
  readonly includeUsage: boolean;
  /** `request_id` in the body, for callers that cannot set headers. */
  readonly requestId: string | undefined;
  /** `metadata.conversation_id`, for the same. */
  readonly conversation: string | undefined;
};

export type ChatLimits = { readonly jsonDepth: number; readonly messages: number; readonly promptCharacters: number };

export type ReadChatBody = (body: Uint8Array) => Read<ChatBody>;

/** `models`: what may be asked for, besides "auto". */
export const createReadChatBody = (limits: ChatLimits, models: ReadonlySet<string>): ReadChatBody => {
  const schema = bodySchema(limits.messages);
  return (bytes) => {
    const json = readJson(bytes, limits.jsonDepth);
    if (json.kind === 'refused') return json;
    const checked = schema.safeParse(json.value);
    if (!checked.success) return refuse(firstIssue(checked.error, json.value));
    const { model = 'auto', stream, stream_options: options, request_id: requestId, metadata } = checked.data;
    if (model !== 'auto' && !models.has(model))
      return refuse({
        code: 'model_not_found',
        param: 'model',
        message: `Expected "auto" or one of the models and arms that GET /v1/models lists, got "${model.slice(0, 128)}".`,
      });
    const characters = checked.data.messages.reduce((sum, { content }) => sum + charactersOf(content), 0);
    if (characters > limits.promptCharacters)
      return refuse({
        code: 'prompt_too_long',
        param: 'messages',
        message: `Expected at most ${limits.promptCharacters} characters in all messages, got ${characters}.`,
      });
    // The object as it came: zod has looked at what is relied on, and the rest has to stay.
    const { messages, parameters } = split(json.value as JsonObject);
    return {
      kind: 'read',
      value: {
        model,
        messages,
        parameters,
        streamed: stream === true,
        includeUsage: options?.include_usage === true,
        requestId,
        conversation: metadata?.conversation_id,
      },
    };
  };
};

const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const;

const partSchema = z
  .object({ type: z.string('expected the type of the part, such as "text"').min(1).max(64), text: z.unknown().optional() })
  .refine((part) => part.type !== 'text' || typeof part.text === 'string', { path: ['text'], message: 'expected text' });

const contentSchema = z.union([z.string(), z.array(partSchema).min(1), z.null()], {
  error: 'expected text, a list of at least one part, or null beside tool_calls',
});

const given = (value: unknown): boolean => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);

export const messageSchema = z
  .object(
    {
      role: z.enum(roles, `expected one of ${roles.join(', ')}`),
      content: contentSchema.optional(),
      tool_calls: z.array(z.unknown(), 'expected a list').nullish(),
      function_call: z.unknown().optional(),
      refusal: z.unknown().optional(),
      audio: z.unknown().optional(),
    },
    'expected a message: an object with role and content',
  )
  .refine((it) => given(it.content) || (it.role === 'assistant' && [it.tool_calls, it.function_call, it.refusal, it.audio].some(given)), {
    path: ['content'],
    message: 'expected text or a list of parts; null only for an assistant message with tool_calls',
  });

const conversationForm = 'expected 1 to 128 visible ASCII characters without spaces';

/** What a caller may call a conversation. */
export const conversationSchema = z.string(conversationForm).regex(/^[!-~]{1,128}$/, conversationForm);

const bodySchema = (messagesMax: number) =>
  z.object(
    {
      model: z
        .string('expected a name')
        .nullish()
        .transform((model) => model ?? undefined),
      messages: z
        .array(messageSchema, 'expected a list of messages')
        .min(1, 'expected at least one message, got none')
        .max(messagesMax, `expected at most ${messagesMax} messages`),
      stream: z.boolean('expected true or false').nullish(),
      stream_options: z
        .object({ include_usage: z.boolean('expected true or false').nullish() }, 'expected an object such as {"include_usage":true}')
        .nullish(),
      n: z.literal(1, 'expected 1 or nothing: the yard gives one answer').nullish(),
      request_id: z.string('expected text').optional(),
      metadata: z.object({ conversation_id: conversationSchema.optional() }, 'expected an object').nullish(),
      ...parameterShape,
    },
    'expected a JSON object',
  );

type Content = z.infer<typeof contentSchema> | undefined;

const charactersOf = (content: Content): number => {
  if (typeof content === 'string') return content.length;
  if (content === undefined || content === null) return 0;
  return content.reduce((sum, { text }) => sum + (typeof text === 'string' ? text.length : 0), 0);
};

/** Takes off what the yard handles itself. `__proto__` is dropped: it would be an ordinary key here, but not for whoever copies the object by assignment. */
const split = (body: JsonObject): Pick<ChatBody, 'messages' | 'parameters'> => {
  const {
    messages,
    model: _model,
    stream: _stream,
    stream_options: _options,
    n: _n,
    request_id: _id,
    ['__proto__']: _proto,
    ...parameters
  } = body;
  return { messages: messages as unknown as readonly ChatMessage[], parameters };
};

const firstIssue = (error: z.ZodError, body: Json) => {
  const issue = error.issues[0];
  const path = issue?.path ?? [];
  const param = pathOf(path);
  const expected = issue?.message ?? 'expected a chat request';
  return {
    code: 'invalid_request' as const,
    message: `${param === '' ? 'The body' : param}: ${expected}, got ${seenAt(body, path)}.`,
    ...(param === '' ? {} : { param }),
  };
};

/** As OpenAI writes it: `messages[0].content`. */
const pathOf = (path: readonly PropertyKey[]): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`)).join('');

const seenAt = (body: Json, path: readonly PropertyKey[]): string => {
  let value: unknown = body;
  for (const step of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  // JSON can carry numbers that are too large to be any.
  return typeof value === 'number' ? String(value) : JSON.stringify(value).slice(0, 40);
};
