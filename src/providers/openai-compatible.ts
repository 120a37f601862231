import { Pool } from 'undici';
import { PermanentError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { watchCall } from './call-watch.ts';
import type { AnswerReader } from './openai/answer-reader.ts';
import type { Headers, Sent } from './openai/errors.ts';
import { openExchange } from './openai/exchange.ts';
import { refusedAnswer, wrongAnswer } from './openai/refused-answer.ts';
import { streamedAnswer } from './openai/streamed-answer.ts';
import { wholeAnswer } from './openai/whole-answer.ts';
import { isLast } from './parts.ts';
import type { Provider, ProviderCall, ProviderPart } from './provider.ts';

/**
 * Any model behind OpenAI's chat API, over HTTP/1.1 with a bounded pool of kept connections. One call is one request: no retry, no redirect.
 * The type of the body decides how it is read, so a provider that answers whole when asked for a stream is understood.
 */
export type OpenAiOptions = {
  readonly id: string;
  /** Up to and without /chat/completions. */
  readonly baseUrl: string;
  /** Name of the model at the provider. */
  readonly model: string;
  readonly apiKey?: string | undefined;
  readonly connections: number;
  /** For what may follow the last frame: the end of the body, which in most cases is here already. A second unless told. */
  readonly drainMs?: number;
};

const connectTimeoutMs = 10_000;

export const openAiCompatible = ({ id, baseUrl, model, apiKey, connections, drainMs = 1_000 }: OpenAiOptions): Provider => {
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new PermanentError(
      'config-invalid',
      `model ${id}: expected an API key of visible ASCII characters, without spaces or line breaks`,
    );
  const base = new URL(baseUrl);
  const path = `${base.pathname.replace(/\/+$/, '')}/chat/completions${base.search}`;
  const headers = ['content-type', 'application/json', ...(apiKey === undefined ? [] : ['authorization', `Bearer ${apiKey}`])];
  // Deadlines are the watch's business, and exact; undici's own are coarse, and off.
  const pool = new Pool(base.origin, {
    connections,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  });

  async function* answer(call: ProviderCall): AsyncGenerator<ProviderPart, void, undefined> {
    const sent: Sent = { body: JSON.stringify(requestBody(model, call)), apiKey };
    const exchange = openExchange((status, seen) => readerOf(status, seen, call, sent), { drainMs });
    const watch = watchCall(call, exchange.stop);
    try {
      if (!exchange.stopped()) {
        const allHeaders = call.traceparent === undefined ? headers : [...headers, 'traceparent', call.traceparent];
        pool.dispatch({ method: 'POST', path, headers: allHeaders, body: sent.body }, exchange.handler);
      }
      for (;;) {
        for (const part of await exchange.take()) {
          watch.hold();
          yield part;
          if (isLast(part)) return;
        }
        watch.resume();
      }
    } finally {
      watch.release();
      exchange.leave();
    }
  }

  return { id, simulated: false, answer, close: () => pool.destroy() };
};

/** The caller's parameters, unchanged, beside what is ours to say. One answer is asked for: `n` is left out. */
const requestBody = (model: string, { parameters, messages, streamed }: ProviderCall): JsonObject => {
  const { n: _n, stream_options: _streamOptions, ...others } = parameters;
  return { ...others, model, messages, stream: streamed, ...(streamed ? { stream_options: { include_usage: true } } : {}) };
};

const readerOf = (status: number, headers: Headers, { streamed, maxAnswerBytes }: ProviderCall, sent: Sent): AnswerReader => {
  if (status !== 200) return refusedAnswer(status, headers, sent, Date.now());
  const type = String(headers['content-type'] ?? 'nothing')
    .split(';', 1)
    .join()
    .trim()
    .toLowerCase();
  if (/^application\/([a-z0-9.-]+\+)?json$/.test(type)) return wholeAnswer(maxAnswerBytes, sent);
  if (streamed && type === 'text/event-stream') return streamedAnswer(maxAnswerBytes, sent);
  const expected = streamed ? 'text/event-stream' : 'application/json';
  return wrongAnswer({
    code: 'provider_error',
    detail: `expected a body of type ${expected}, got ${type.slice(0, 64)}`,
    httpStatus: status,
  });
};
