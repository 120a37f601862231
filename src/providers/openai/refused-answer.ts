import type { ProviderError } from '../provider.ts';
import { failed } from '../parts.ts';
import type { AnswerReader } from './answer-reader.ts';
import { statusError, type Headers, type Sent } from './errors.ts';

const bodyBytesMax = 16_384;

/** A response of another status than 200: of its body as much is read as can say what was wrong. */
export const refusedAnswer = (status: number, headers: Headers, sent: Sent, nowMs: number): AnswerReader => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const part = () => failed(statusError(status, headers, Buffer.concat(chunks).toString('utf8'), sent, nowMs));
  return {
    read: (chunk) => {
      chunks.push(chunk.subarray(0, bodyBytesMax - bytes));
      bytes += chunk.length;
      return bytes < bodyBytesMax ? [] : [part()];
    },
    end: () => [part()],
    cut: part,
  };
};

/** A response that cannot be an answer, whatever its body holds. */
export const wrongAnswer = (error: ProviderError): AnswerReader => ({
  read: () => [failed(error)],
  end: () => [failed(error)],
  cut: () => failed(error),
});
