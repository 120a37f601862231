import { Pool } from 'undici';

/**
 * A light source of chat requests: it shares two cores with what it measures, so it parses nothing and keeps nothing but a status and a time.
 * An answer other than 200 is an error: a gateway that refuses quickly must not look fast.
 */
export type Target = {
  readonly name: string;
  /** Sends one request and resolves with its time in ms when the answer has come whole. */
  readonly ask: (prompt: string) => Promise<number>;
  readonly close: () => Promise<void>;
};

export type TargetOptions = {
  readonly name: string;
  /** Up to and with `/v1`. */
  readonly url: string;
  readonly model: string;
  readonly headers?: readonly string[];
  readonly connections: number;
};

export const openTarget = ({ name, url, model, headers = [], connections }: TargetOptions): Target => {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const path = `${pathname.replace(/\/$/, '')}/chat/completions`;
  const allHeaders = ['content-type', 'application/json', ...headers];
  const before = `{"model":${JSON.stringify(model)},"messages":[{"role":"user","content":`;

  const ask = (prompt: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const beganMs = performance.now();
    let status = 0;
    let bytes = 0;
    pool.dispatch(
      { path, method: 'POST', headers: allHeaders, body: `${before}${JSON.stringify(prompt)}}]}` },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, code) => {
          status = code;
        },
        onResponseData: (_controller, chunk) => {
          bytes += chunk.length;
        },
        onResponseEnd: () => {
          if (status === 200 && bytes > 0) resolve(performance.now() - beganMs);
          else reject(new Error(`${name}: expected status 200 and an answer, got ${status} and ${bytes} bytes`));
        },
        onResponseError: (_controller, error) => {
          reject(new Error(`${name}: ${error.message}`, { cause: error }));
        },
      },
    );
    return promise;
  };
  return { name, ask, close: () => pool.destroy() };
};

/** Prompts that are all different, or the cache would answer; of the size of a short question with its instructions. */
export const uniquePrompts = (run: string): (() => string) => {
  const text =
    'Answer in one sentence and say how sure you are. The question is taken from a list of questions about rivers, bridges and the people who built them.';
  let index = 0;
  return () => `${text} Question ${index++} of run ${run}: which bridge is the oldest of them?`;
};

/** One request at a time to each target in turn; the order rotates, so that nobody always follows the same neighbour. Times in ms by target. */
export const oneAtATime = async (
  targets: readonly Target[],
  count: number,
  prompt: () => string,
  signal: AbortSignal,
): Promise<readonly Float64Array[]> => {
  const timesMs = targets.map(() => new Float64Array(count));
  for (let i = 0; i < count; i++) {
    signal.throwIfAborted();
    for (let turn = 0; turn < targets.length; turn++) {
      const place = (i + turn) % targets.length;
      const target = targets[place];
      const times = timesMs[place];
      if (target !== undefined && times !== undefined) times[i] = await target.ask(prompt());
    }
  }
  return timesMs;
};

export type Burst = { readonly requests: number; readonly ratePerSecond: number; readonly timesMs: readonly number[] };

/** So many at a time, for so long. */
export const manyAtATime = async (
  target: Target,
  concurrency: number,
  durationMs: number,
  prompt: () => string,
  signal: AbortSignal,
): Promise<Burst> => {
  const timesMs: number[] = [];
  const beganMs = performance.now();
  const lane = async () => {
    while (performance.now() - beganMs < durationMs) {
      signal.throwIfAborted();
      timesMs.push(await target.ask(prompt()));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const elapsedMs = performance.now() - beganMs;
  return { requests: timesMs.length, ratePerSecond: (timesMs.length / elapsedMs) * 1_000, timesMs };
};
