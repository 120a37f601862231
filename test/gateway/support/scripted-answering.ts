import { setTimeout as sleep } from 'node:timers/promises';
import type { Answering, AnswerOrigin, AnswerPart } from '../../../src/requests/answer.ts';
import type { ChatRequest } from '../../../src/requests/chat-request.ts';

export type Step =
  AnswerPart | { readonly kind: 'pause'; readonly ms: number } | { readonly kind: 'until-aborted' } | { readonly kind: 'throw' };

/** A deterministic Answering: plays a script for each request, and remembers what it was asked and how far it was read. */
export type ScriptedAnswering = Answering & {
  readonly asked: ChatRequest[];
  readonly aborted: string[];
  readonly ended: string[];
};

export const scriptedAnswering = (script: (request: ChatRequest) => readonly Step[]): ScriptedAnswering => {
  const asked: ChatRequest[] = [];
  const aborted: string[] = [];
  const ended: string[] = [];
  return {
    asked,
    aborted,
    ended,
    async *answer(request, signal) {
      asked.push(request);
      for (const step of script(request)) {
        if (signal.aborted) {
          aborted.push(request.requestId);
          yield failed('cancelled');
          return;
        }
        if (step.kind === 'pause') await sleep(step.ms, undefined, { signal }).catch(() => undefined);
        else if (step.kind === 'until-aborted') {
          while (!signal.aborted) await sleep(1_000, undefined, { signal }).catch(() => undefined);
          aborted.push(request.requestId);
          yield failed('cancelled');
          return;
        } else if (step.kind === 'throw') throw new Error('the script says so');
        else yield step;
      }
      ended.push(request.requestId);
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
