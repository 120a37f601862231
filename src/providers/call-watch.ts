import type { ProviderCall, ProviderError } from './provider.ts';

/**
 * Why a call has to stop before its end: the caller has gone, or a deadline has passed. One watch per call, shared by all providers.
 * `onStop` is called once, with whatever comes first, perhaps at once. `release()` takes back timers and listener and must always be called.
 */
export type CallWatch = {
  /** A part is handed to the reader: how long he holds it is not the provider's fault. */
  readonly hold: () => void;
  /** The reader asks for the next part. */
  readonly resume: () => void;
  readonly release: () => void;
};

export const watchCall = (
  { deadlines, signal, streamed }: Pick<ProviderCall, 'deadlines' | 'signal' | 'streamed'>,
  onStop: (error: ProviderError) => void,
): CallWatch => {
  let held = false;
  let over = false;
  const stop = (code: 'cancelled' | 'provider_timeout', detail: string) => {
    if (over) return;
    release();
    onStop({ code, detail });
  };
  const onAbort = () => {
    stop('cancelled', 'the caller stopped the call');
  };
  const onTotal = () => {
    stop('provider_timeout', `the answer was not complete after ${deadlines.totalMs} ms`);
  };
  const onNoFirst = () => {
    if (!held) stop('provider_timeout', `no part of the answer within ${deadlines.firstTokenMs} ms`);
  };
  const onIdle = () => {
    // The timer may run out while the reader holds a part; `resume` starts it again.
    if (!held) stop('provider_timeout', `no further part within ${deadlines.idleMs} ms`);
  };

  const total = setTimeout(onTotal, deadlines.totalMs);
  const first = streamed ? setTimeout(onNoFirst, deadlines.firstTokenMs) : undefined;
  let idle: NodeJS.Timeout | undefined;

  const release = () => {
    over = true;
    clearTimeout(total);
    clearTimeout(first);
    clearTimeout(idle);
    signal.removeEventListener('abort', onAbort);
  };

  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });

  return {
    hold: () => {
      held = true;
    },
    resume: () => {
      held = false;
      if (over || !streamed) return;
      if (idle !== undefined) {
        idle.refresh();
        return;
      }
      clearTimeout(first);
      idle = setTimeout(onIdle, deadlines.idleMs);
    },
    release,
  };
};
