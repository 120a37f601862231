import { watchCall } from './call-watch.ts';
import { failed, tooLarge } from './parts.ts';
import type { ProviderCall, ProviderError, ProviderPart } from './provider.ts';

/**
 * Plays an answer that is known beforehand, in its own time: for providers without a model behind them. Every moment is counted from the beginning of
 * the call, so lateness of one timer does not add to the next; what has become due meanwhile goes out together. Deadlines, abort, size and `close`
 * hold as they do for a real provider, and nothing is left behind.
 */
export type Script = {
  readonly pieces: Iterable<{ readonly text: string; readonly atMs: number }>;
  readonly last: Extract<ProviderPart, { readonly kind: 'end' | 'error' }>;
  readonly lastAtMs: number;
};

export type Player = {
  readonly play: (call: ProviderCall, script: Script) => AsyncIterable<ProviderPart>;
  readonly close: () => Promise<void>;
};

export const createPlayer = (): Player => {
  const underWay = new Set<(error: ProviderError) => void>();
  let closed = false;

  async function* play(call: ProviderCall, script: Script): AsyncGenerator<ProviderPart, void, undefined> {
    const wait = createWait();
    const watch = watchCall(call, wait.stop);
    underWay.add(wait.stop);
    if (closed) wait.stop(closedHere);
    try {
      for await (const part of playWith(call, script, wait)) {
        watch.hold();
        yield part;
        watch.resume();
      }
    } finally {
      watch.release();
      wait.stop(closedHere);
      underWay.delete(wait.stop);
    }
  }

  return {
    play,
    close: async () => {
      closed = true;
      for (const stop of underWay) stop(closedHere);
    },
  };
};

const closedHere: ProviderError = { code: 'provider_unavailable', detail: 'the provider was closed here' };

async function* playWith(
  { streamed, maxAnswerBytes }: ProviderCall,
  script: Script,
  wait: Wait,
): AsyncGenerator<ProviderPart, void, undefined> {
  let due = '';
  let bytes = 0;
  for (const { text, atMs } of script.pieces) {
    if (streamed && wait.isAhead(atMs)) {
      if (due !== '') yield { kind: 'text', text: due };
      due = '';
      await wait.until(atMs);
    }
    const stopped = wait.stopped();
    if (stopped !== undefined) return yield failed(stopped);
    bytes += Buffer.byteLength(text);
    if (bytes > maxAnswerBytes) return yield tooLarge(maxAnswerBytes);
    due += text;
  }
  if (due !== '' && streamed) yield { kind: 'text', text: due };
  await wait.until(script.lastAtMs);
  const stopped = wait.stopped();
  if (stopped !== undefined) return yield failed(stopped);
  if (due !== '' && !streamed) yield { kind: 'text', text: due };
  yield script.last;
}

type Wait = {
  readonly isAhead: (atMs: number) => boolean;
  /** Until the moment, counted from the beginning, or until stopped. */
  readonly until: (atMs: number) => Promise<void>;
  readonly stop: (error: ProviderError) => void;
  readonly stopped: () => ProviderError | undefined;
};

const createWait = (): Wait => {
  const beganMs = performance.now();
  let error: ProviderError | undefined;
  let wake: (() => void) | undefined;
  const leftMs = (atMs: number) => (error === undefined ? beganMs + atMs - performance.now() : 0);
  return {
    isAhead: (atMs) => leftMs(atMs) > 0,
    until: async (atMs) => {
      // A timer may fire a little early.
      for (let left = leftMs(atMs); left > 0; left = leftMs(atMs))
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(Math.ceil(left), 86_400_000));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
    },
    stop: (reason) => {
      error ??= reason;
      wake?.();
    },
    stopped: () => error,
  };
};
