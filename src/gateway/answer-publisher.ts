import { randomUUID } from 'node:crypto';
import type { Messenger } from '../bus/messenger.ts';
import type { RequestId } from '../events/index.ts';
import type { JsonObject } from '../json.ts';
import type { AnswerOrigin, AnswerPart } from '../requests/answer.ts';
import { usageOf } from './completion.ts';
import type { GatewayError } from './error-catalogue.ts';
import { errorMessage } from './nats-error.ts';
import { natsHeaders, originHeaders } from './nats-headers.ts';
import { encodeJson, type NatsMessage } from './nats-messages.ts';

/**
 * Numbers and publishes the messages of one attempt at an answer. Waits for the server after each `unflushedBytesMax`, so that neither this
 * process nor the connection piles up what the server has not taken.
 */
export type AnswerPublisher = {
  readonly begin: (origin: AnswerOrigin) => void;
  readonly chunk: (text: string, toolCalls?: readonly JsonObject[]) => Promise<void>;
  readonly final: (finished: Extract<AnswerPart, { kind: 'finished' }>, response?: unknown) => void;
  readonly error: (error: GatewayError) => void;
};

/** At most six bytes each in JSON: far below the payload limit of any server. */
const chunkCharactersMax = 65_536;
const unflushedBytesMax = 262_144;

export const createAnswerPublisher = (options: {
  readonly messenger: Messenger;
  readonly reply: string;
  readonly requestId: RequestId;
}): AnswerPublisher => {
  const { messenger, reply, requestId } = options;
  const attempt = randomUUID().slice(0, 8);
  let seq = 0;
  let unflushedBytes = 0;
  let origin: AnswerOrigin | null = null;
  let headers: Readonly<Record<string, string>> = { [natsHeaders.requestId]: requestId };

  const publish = (message: NatsMessage, more: Readonly<Record<string, string>> = {}) => {
    const body = encodeJson(message);
    messenger.publish(reply, body, { ...headers, ...more });
    // Counted only when it was published: a message that is too large leaves no gap.
    seq++;
    unflushedBytes += body.byteLength;
  };
  const numbered = () => ({ seq: seq + 1, attempt, request_id: requestId });

  return {
    begin: (begun) => {
      origin = begun;
      headers = { ...headers, ...originHeaders(begun) };
    },
    chunk: async (text, toolCalls) => {
      const pieces = split(text);
      for (const [i, piece] of pieces.entries()) {
        const carriesCalls = i === pieces.length - 1 && toolCalls !== undefined;
        publish({ type: 'chunk', ...numbered(), text: piece, ...(carriesCalls ? { tool_calls: [...toolCalls] } : {}) });
        if (unflushedBytes < unflushedBytesMax) continue;
        unflushedBytes = 0;
        await messenger.flush();
      }
    },
    final: ({ finishReason, usage, costNanoUsd, repeated }, response) => {
      if (origin === null) throw new TypeError('expected `started` before `finished`');
      const { arm, model, cache, simulated } = origin;
      publish(
        {
          type: 'final',
          ...numbered(),
          arm,
          model,
          cache,
          simulated,
          repeated,
          finish_reason: finishReason,
          usage: usageOf(usage),
          cost_nano_usd: costNanoUsd,
          chunks: seq,
          ...(response === undefined ? {} : { response }),
        },
        repeated ? { [natsHeaders.repeated]: 'true' } : {},
      );
    },
    error: (error) => {
      publish(errorMessage(error, numbered()), { [natsHeaders.error]: error.code });
    },
  };
};

const highSurrogateFirst = 0xd800;
const highSurrogateLast = 0xdbff;

/** Pieces of bounded length; a pair of surrogates stays together, since not every JSON reader can mend it. */
const split = (text: string): readonly string[] => {
  if (text.length <= chunkCharactersMax) return [text];
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    let end = start + chunkCharactersMax;
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= highSurrogateFirst && last <= highSurrogateLast) end--;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
};
