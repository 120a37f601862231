import type { Dispatcher } from 'undici';
import type { ProviderError, ProviderPart } from '../provider.ts';
import { failed, isLast } from '../parts.ts';
import type { AnswerReader } from './answer-reader.ts';
import { connectionError, type Headers } from './errors.ts';

/**
 * One request and its response, on undici's lowest level: the response is pushed through a reader, the parts wait to be taken. The comfortable
 * `request()` notices an abort only once the request has a connection of its own, so deadlines would not hold while the pool is busy or connecting;
 * here `stop` ends the exchange at once, wherever it is. It also costs half the time.
 *
 * 1. `take` gives at least one part; the last of all is an `end` or an `error`, and there is one such part.
 * 2. No more than `waitingBytesMax` and one chunk wait for a slow taker: then the socket is paused.
 * 3. After `leave` the connection goes back to the pool when the answer was whole and its body ends within `drainMs`; in any other case it is closed.
 */
export type Exchange = {
  readonly handler: Dispatcher.DispatchHandler;
  readonly take: () => Promise<readonly ProviderPart[]>;
  readonly stop: (error: ProviderError) => void;
  readonly stopped: () => boolean;
  readonly leave: () => void;
};

const waitingBytesMax = 65_536;

export const openExchange = (
  readerOf: (status: number, headers: Headers) => AnswerReader,
  { drainMs }: { readonly drainMs: number },
): Exchange => {
  let controller: Dispatcher.DispatchController | undefined;
  let reader: AnswerReader | undefined;
  let parts: ProviderPart[] = [];
  let waitingBytes = 0;
  let wake: (() => void) | undefined;
  let last: ProviderPart | undefined;
  let stopped = false;
  let over = false;
  let drainTimer: NodeJS.Timeout | undefined;

  const push = (more: readonly ProviderPart[]) => {
    for (const part of more) {
      if (last !== undefined) return;
      parts.push(part);
      if (isLast(part)) last = part;
    }
    if (parts.length > 0) wake?.();
  };
  const close = () => {
    stopped = true;
    if (!over) controller?.abort(new Error('stopped here'));
  };
  const finish = () => {
    over = true;
    clearTimeout(drainTimer);
  };

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (given) => {
      controller = given;
      if (stopped) close();
    },
    onResponseStart: (_controller, status, headers) => {
      if (status >= 200) reader = readerOf(status, headers);
    },
    onResponseData: (given, chunk) => {
      if (last !== undefined || reader === undefined) return;
      push(reader.read(chunk));
      if (parts.length > 0) waitingBytes += chunk.length;
      if (waitingBytes > waitingBytesMax) given.pause();
    },
    onResponseEnd: () => {
      finish();
      if (last === undefined && reader !== undefined) push(reader.end());
    },
    onResponseError: (_controller, error) => {
      finish();
      push([reader === undefined ? failed(connectionError(error)) : reader.cut(brokenOff)]);
    },
  };

  return {
    handler,
    take: async () => {
      if (parts.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const taken = parts;
      parts = [];
      waitingBytes = 0;
      controller?.resume();
      return taken;
    },
    stop: (error) => {
      if (last !== undefined) return;
      push([error.code === 'cancelled' || reader === undefined ? failed(error) : reader.cut(error)]);
      close();
    },
    stopped: () => stopped,
    leave: () => {
      if (over) return;
      if (last?.kind !== 'end') close();
      else drainTimer = setTimeout(close, drainMs);
    },
  };
};

const brokenOff: ProviderError = { code: 'answer_truncated', detail: 'the connection ended before the answer did' };
