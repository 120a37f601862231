import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AnswerOrigin, AnswerPart } from '../requests/answer.ts';
import { createCompletionFrames, errorFrame } from './completion-frames.ts';

/**
 * Writes an answer as server-sent events.
 *
 * 1. Headers leave with the first text, so that a failure before it is an HTTP status (see `readOpening`).
 * 2. The next part is asked for when the socket has taken the one before: a slow reader slows the answer down and costs one buffer. One that takes
 *    nothing for `idleMs` is cut off.
 * 3. When the caller has gone the answer is still read to its end, without writing: the host records how it ended.
 */
export type Opening =
  | { readonly kind: 'answer'; readonly origin: AnswerOrigin; readonly first: Exclude<AnswerPart, { kind: 'started' | 'failed' }> }
  | { readonly kind: 'failed'; readonly origin: AnswerOrigin | null; readonly error: Extract<AnswerPart, { kind: 'failed' }>['error'] };

/** Up to the first part that says something: text, the end, or a failure. */
export const readOpening = async (parts: AsyncIterator<AnswerPart>): Promise<Opening> => {
  let origin: AnswerOrigin | null = null;
  for (;;) {
    const part = await nextPart(parts);
    if (part.kind === 'failed') return { kind: 'failed', origin, error: part.error };
    if (part.kind === 'started') origin = part;
    else if (origin === null) throw new TypeError(`expected \`started\` first, got \`${part.kind}\``);
    else return { kind: 'answer', origin, first: part };
  }
};

export const eventStreamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // nginx and its like would hold the stream back otherwise.
  'x-accel-buffering': 'no',
} as const;

export const streamAnswer = async (
  raw: ServerResponse,
  parts: AsyncIterator<AnswerPart>,
  opening: Extract<Opening, { kind: 'answer' }>,
  options: { readonly includeUsage: boolean; readonly idleMs: number; readonly signal: AbortSignal },
): Promise<void> => {
  const frames = createCompletionFrames(opening.origin, Date.now(), options.includeUsage);
  // The first frames travel together, and so do the last: each write is a packet.
  let before = frames.role;
  for (let part: AnswerPart = opening.first; ; part = await nextPart(parts)) {
    switch (part.kind) {
      case 'started':
        break;
      case 'delta': {
        const taken = options.signal.aborted || raw.write(before + frames.delta(part));
        before = '';
        if (!taken) await untilDrained(raw, options);
        break;
      }
      case 'finished':
        raw.end(before + frames.end(part));
        return;
      case 'failed':
        raw.end(before + errorFrame(part.error));
        return;
    }
  }
};

/** Destroying the socket ends the caller's signal, which stops the provider. */
const untilDrained = async (raw: ServerResponse, options: { readonly idleMs: number; readonly signal: AbortSignal }) => {
  try {
    await once(raw, 'drain', { signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.idleMs)]) });
  } catch {
    raw.destroy();
  }
};

const nextPart = async (parts: AsyncIterator<AnswerPart>): Promise<AnswerPart> => {
  const next = await parts.next();
  if (next.done === true) throw new TypeError('expected an answer to end with `finished` or `failed`');
  return next.value;
};
