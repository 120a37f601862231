import type { Mailbox } from '../bus/mailbox.ts';
import type { AnswerError, AnswerErrorCode, AnswerOrigin, AnswerPart } from '../requests/answer.ts';
import type { NatsMessage } from './nats-messages.ts';

/**
 * Numbered messages back into an answer.
 *
 * 1. A gap in the numbers ends the answer as truncated: what is handed on is whole or is an error.
 * 2. When a worker dies in the middle, the next attempt begins anew. It is handed on only if nothing was handed on before.
 */
export type Arrival =
  | { readonly kind: 'message'; readonly message: NatsMessage; readonly origin: AnswerOrigin | null }
  /** The caller went away. */
  | { readonly kind: 'gone' }
  /** Nobody answered in time. */
  | { readonly kind: 'late' };

export async function* readNumberedParts(mailbox: Mailbox<Arrival>): AsyncGenerator<AnswerPart, void, undefined> {
  let attempt = 1;
  let expected = 1;
  let begun = false;
  for (;;) {
    for (const arrival of await mailbox.take()) {
      if (arrival.kind === 'gone') return yield failed({ code: 'cancelled', message: 'The caller went away.' });
      if (arrival.kind === 'late') return yield failed({ code: 'interrupted', message: 'No worker answered within the deadline.' });
      const { message, origin } = arrival;
      if (message.type === 'accepted' || message.attempt < attempt) continue;
      if (message.attempt > attempt) {
        if (begun) return yield failed(interrupted);
        attempt = message.attempt;
        expected = 1;
      }
      if (message.seq !== expected++) return yield failed(gap(expected - 1, message.seq));
      if (message.type === 'error') return yield failed(errorFrom(message));
      if (!begun) {
        if (origin === null) return yield failed({ code: 'interrupted', message: 'A worker sent an answer that names no arm.' });
        begun = true;
        yield { kind: 'started', ...origin };
      }
      if (message.type === 'chunk') {
        yield { kind: 'delta', text: message.text, ...(message.tool_calls === undefined ? {} : { toolCalls: message.tool_calls }) };
        continue;
      }
      const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = message.usage;
      return yield {
        kind: 'finished',
        finishReason: message.finish_reason,
        usage: { promptTokens, completionTokens },
        costNanoUsd: message.cost_nano_usd,
        repeated: message.repeated,
      };
    }
  }
}

/** A worker's own refusals (poison) are not codes of an answer: whoever queued the request had checked it. */
const errorFrom = ({ code, message, retry_after_ms: retryAfterMs }: Extract<NatsMessage, { type: 'error' }>): AnswerError => ({
  code: code as AnswerErrorCode,
  message,
  retryAfterMs,
});

const failed = (error: AnswerError): AnswerPart => ({ kind: 'failed', error });

const interrupted: AnswerError = {
  code: 'interrupted',
  message: 'The worker was replaced in the middle of the answer; ask again with the same request id to get all of it.',
};

const gap = (expected: number, seen: number): AnswerError => ({
  code: 'answer_truncated',
  message: `Part of the answer was lost on the way (expected message ${expected}, got ${seen}); ask again with the same request id to get all of it.`,
});
