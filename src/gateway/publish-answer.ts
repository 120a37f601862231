import { PermanentError } from '../errors.ts';
import type { Answering } from '../requests/answer.ts';
import type { AnswerPublisher } from './answer-publisher.ts';
import { collectAnswer, wholeCompletion } from './completion.ts';
import type { GatewayError } from './error-catalogue.ts';

/** Null when the answer is out, else the error that ended it. */
export const publishChunks = async (parts: ReturnType<Answering['answer']>, publisher: AnswerPublisher): Promise<GatewayError | null> => {
  for await (const part of parts) {
    switch (part.kind) {
      case 'started':
        publisher.begin(part);
        break;
      case 'delta':
        await publisher.chunk(part.text, part.toolCalls);
        break;
      case 'finished':
        publisher.final(part);
        return null;
      case 'failed':
        return part.error;
    }
  }
  throw new TypeError('expected an answer to end with `finished` or `failed`');
};

export const publishWhole = async (parts: ReturnType<Answering['answer']>, publisher: AnswerPublisher): Promise<GatewayError | null> => {
  const answer = await collectAnswer(parts);
  if (answer.origin !== null) publisher.begin(answer.origin);
  if (answer.kind === 'failed') return answer.error;
  try {
    publisher.final(answer.finished, wholeCompletion(answer, Date.now()));
    return null;
  } catch (error) {
    if (!(error instanceof PermanentError && error.code === 'too-large')) throw error;
    return {
      code: 'reply_too_large',
      message: `The answer does not fit into one message (${error.message}); ask with "stream": true and the same request id.`,
    };
  }
};
