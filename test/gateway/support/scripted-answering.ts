import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answering, AnswerOrigin, AnswerPart } from '../../../src/requests/answer.ts';
import type { ChatRequest } from '../../../src/requests/chat-request.ts';

export type Step =
  | AnswerPart
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'wait'; readonly until: Promise<unknown> }
  | { readonly kind: 'until-aborted' }
  | { readonly kind: 'throw' };

/** A deterministic Answering: plays a script for each request, and remembers what it was asked and how far it was read. */
export type ScriptedAnswering = Answering & {
  readonly asked: ChatRequest[];
  readonly aborted: string[];
  /** Requests whose generator is over, in whichever way. */
  readonly left: string[];
  /** Parts that were asked for, of all requests together. */
  readonly yielded: number;
};

export const scriptedAnswering = (script: (request: ChatRequest) => readonly Step[]): ScriptedAnswering => {
  const asked: ChatRequest[] = [];
  const aborted: string[] = [];
  const left: string[] = [];
  let yielded = 0;

  async function* play(request: ChatRequest, signal: AbortSignal): AsyncGenerator<AnswerPart, void, undefined> {
    for (const step of script(request)) {
      switch (step.kind) {
        case 'pause':
          await sleep(step.ms, undefined, { signal }).catch(() => undefined);
          break;
        case 'wait':
          await step.until;
          break;
        case 'until-aborted':
          if (!signal.aborted) await once(signal, 'abort');
          break;
        case 'throw':
          throw new Error('the script says so');
        case 'started':
        case 'delta':
        case 'finished':
        case 'failed':
          yielded++;
          yield step;
      }
      if (!signal.aborted) continue;
      aborted.push(request.requestId);
      yield failed('cancelled');
      return;
    }
  }

  return {
    asked,
    aborted,
    left,
    get yielded() {
      return yielded;
    },
    async *answer(request, signal) {
      asked.push(request);
      try {
        yield* play(request, signal);
      } finally {
        left.push(request.requestId);
      }
    },
  };
};

export const started = (request: ChatRequest, more: Partial<AnswerOrigin> = {}): AnswerPart => ({
  kind: 'started',
  requestId: request.requestId,
  arm: 'small-plain',
  model: 'small',
  cache: 'miss',
  simulated: true,
  ...more,
});

export const text = (text: string): AnswerPart => ({ kind: 'delta', text });

export const finished = (repeated = false): AnswerPart => ({
  kind: 'finished',
  finishReason: 'stop',
  usage: { promptTokens: 7, completionTokens: 3 },
  costNanoUsd: 12_345,
  repeated,
});

export const failed = (code: Extract<AnswerPart, { kind: 'failed' }>['error']['code'], retryAfterMs?: number): AnswerPart => ({
  kind: 'failed',
  error: { code, message: `It failed as ${code}.`, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
});

/** Three words and the end. */
export const threeWords = (request: ChatRequest): readonly Step[] => [
  started(request),
  text('Twenty'),
  text('-four'),
  text(' legs.'),
  finished(),
];
