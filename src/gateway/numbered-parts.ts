import type { Mailbox } from '../bus/mailbox.ts';
import type { AnswerError, AnswerErrorCode, AnswerOrigin, AnswerPart } from '../requests/answer.ts';
import type { NatsMessage } from './nats-messages.ts';

/**
 * Numbered messages back into an answer. When a worker dies, another attempt begins anew; the two are told apart by name.
 *
 * 1. What is handed on is one attempt, from its first message to its last without a gap, or ends with an error.
 * 2. `streamed`: the attempt that began is handed on as it comes, and a later one cannot take its place. Otherwise parts are held back until an attempt is whole,
 *    so that a death goes unnoticed.
 */
export type Arrival =
  | { readonly kind: 'message'; readonly message: NatsMessage; readonly origin: AnswerOrigin | null }
  /** The caller went away. */
  | { readonly kind: 'gone' }
  /** Nobody answered in time. */
  | { readonly kind: 'late' };

type Attempt = { received: number; held: AnswerPart[] };

export async function* readNumberedParts(mailbox: Mailbox<Arrival>, streamed: boolean): AsyncGenerator<AnswerPart, void, undefined> {
  const attempts = new Map<string, Attempt>();
  let followed: string | undefined;
  for (;;) {
    for (const arrival of await mailbox.take()) {
      if (arrival.kind === 'gone') return yield failed({ code: 'cancelled', message: 'The caller went away.' });
      if (arrival.kind === 'late') return yield failed({ code: 'interrupted', message: 'No worker answered within the deadline.' });
      const { message, origin } = arrival;
      if (message.type === 'accepted') continue;
      const isEnd = message.type !== 'chunk';
      const name = message.attempt ?? '';
      if (streamed) followed ??= name;
      if (followed !== undefined && name !== followed) {
        if (isEnd) return yield failed(interrupted);
        continue;
      }

      const attempt = attempts.get(name) ?? { received: 0, held: [] };
      attempts.set(name, attempt);
      if (message.seq !== ++attempt.received) return yield failed(gap(attempt.received, message.seq));
      if (message.type !== 'error' && message.seq === 1) {
        if (origin === null) return yield failed({ code: 'interrupted', message: 'A worker sent an answer that names no arm.' });
        attempt.held.push({ kind: 'started', ...origin });
      }
      attempt.held.push(partOf(message));
      if (!streamed && !isEnd) continue;
      yield* attempt.held.splice(0);
      if (isEnd) return;
    }
  }
}

const partOf = (message: Exclude<NatsMessage, { type: 'accepted' }>): AnswerPart => {
  switch (message.type) {
    case 'chunk':
      return { kind: 'delta', text: message.text, ...(message.tool_calls === undefined ? {} : { toolCalls: message.tool_calls }) };
    case 'final':
      return {
        kind: 'finished',
        finishReason: message.finish_reason,
        usage: { promptTokens: message.usage.prompt_tokens, completionTokens: message.usage.completion_tokens },
        costNanoUsd: message.cost_nano_usd,
        repeated: message.repeated,
      };
    case 'error':
      // A worker's own refusals (poison) are no codes of an answer, and do not come: whoever queued the request had checked it.
      return failed({ code: message.code as AnswerErrorCode, message: message.message, retryAfterMs: message.retry_after_ms });
  }
};

const failed = (error: AnswerError): AnswerPart => ({ kind: 'failed', error });

const interrupted: AnswerError = {
  code: 'interrupted',
  message: 'The worker was replaced in the middle of the answer; ask again with the same request id to get all of it.',
};

const gap = (expected: number, seen: number): AnswerError => ({
  code: 'answer_truncated',
  message: `Part of the answer was lost on the way (expected message ${expected}, got ${seen}); ask again with the same request id to get all of it.`,
});
