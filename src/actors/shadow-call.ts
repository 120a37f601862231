import type { Logger } from 'pino';
import { costNanoUsd } from '../domain/price.ts';
import { similarityCharacters } from '../domain/shadow/similarity.ts';
import { beginProgress, observePart, streamFigures, type Progress } from '../domain/streaming/progress.ts';
import type { DataOf, EventOf } from '../events/index.ts';
import type { ProviderCall, ProviderError, ProviderPart } from '../providers/provider.ts';
import type { Usage } from '../requests/answer.ts';
import type { ModelAtWork } from './host-parts.ts';

export type Figures = DataOf<'shadow.completed'>['shadow'];

export type ShadowAnswer = {
  readonly figures: Omit<Figures, 'arm' | 'model' | 'simulated'>;
  /** The begin of the text: as much as is compared. */
  readonly text: string;
  /** False for a call that was broken off: its cost is an estimate of what came until then. */
  readonly isBillKnown: boolean;
};

type End = Extract<ProviderPart, { kind: 'end' }>;
type Failure = { readonly code: Figures['outcome']; readonly detail: string };

/** Calls a model whose answer nobody waits for. Of the text no more is kept than is compared. Never rejects. */
export const callShadow = async (
  { provider, config }: ModelAtWork,
  call: ProviderCall,
  options: { readonly promptTokensEstimate: number; readonly answerTokens: number; readonly nowMs: () => number; readonly logger: Logger },
): Promise<ShadowAnswer> => {
  const { answerTokens, nowMs } = options;
  const progress = beginProgress(nowMs());
  const tooLong = new AbortController();
  let text = '';
  let bytes = 0;
  let ended: End | Failure = { code: 'answer_truncated', detail: 'the provider ended without saying so' };
  try {
    for await (const part of provider.answer({ ...call, signal: AbortSignal.any([call.signal, tooLong.signal]) })) {
      switch (part.kind) {
        case 'text':
          observePart(progress, part.text.length, nowMs());
          if (text.length < similarityCharacters) text += part.text.slice(0, similarityCharacters - text.length);
          bytes += Buffer.byteLength(part.text);
          // Only so much was set aside. A model that sends all at once has been paid for by now, and is heard to its end.
          if (call.streamed && tokensOf(bytes) > answerTokens) tooLong.abort();
          break;
        case 'tool-calls':
          observePart(progress, 0, nowMs());
          break;
        case 'end':
          ended = part;
          break;
        case 'error':
          ended = failureOf(part.error, call.signal, tooLong.signal, answerTokens);
          break;
      }
    }
  } catch (error) {
    options.logger.error({ err: error, model: config.id }, 'a shadow failed');
    ended = { code: 'interrupted', detail: 'an internal error ended the answer' };
  }
  const { latencyMs, answerCharacters } = streamFigures(progress, nowMs());
  const estimated: Usage = { promptTokens: options.promptTokensEstimate, completionTokens: tokensOf(bytes) };
  const common = { latencyMs, firstTokenMs: firstTokenOf(progress), answerCharacters };
  if ('code' in ended) {
    const usage = progress.parts === 0 ? { promptTokens: 0, completionTokens: 0 } : estimated;
    const cost = costNanoUsd(usage, config.price);
    return {
      figures: {
        ...common,
        outcome: ended.code,
        detail: ended.detail.slice(0, 500),
        finishReason: null,
        ...usage,
        costNanoUsd: cost,
        scoreMicro: null,
      },
      text,
      isBillKnown: progress.parts === 0 && refusals.has(ended.code),
    };
  }
  const usage = ended.usage ?? estimated;
  const cost = ended.costNanoUsd ?? costNanoUsd(usage, config.price);
  return {
    figures: {
      ...common,
      outcome: 'completed',
      detail: null,
      finishReason: ended.finishReason.slice(0, 64),
      ...usage,
      costNanoUsd: cost,
      scoreMicro: ended.measuredScoreMicro ?? null,
    },
    text,
    isBillKnown: true,
  };
};

/** The same figures of the answer that was delivered, counted from the call of its model. */
export const deliveredFigures = (given: {
  readonly event: EventOf<'response.completed'> | EventOf<'response.failed'>;
  readonly progress: Progress;
  readonly calledAtMs: number;
  readonly scoreMicro: number | null;
}): Omit<Figures, 'arm' | 'model'> => {
  const { event, progress, calledAtMs, scoreMicro } = given;
  const { latencyMs, promptTokens, completionTokens, costNanoUsd: cost, simulated } = event.data;
  return {
    ...(event.type === 'response.completed'
      ? { outcome: 'completed', detail: null, finishReason: event.data.finishReason }
      : { outcome: event.data.code, detail: event.data.detail, finishReason: null }),
    latencyMs: Math.max(0, latencyMs - (calledAtMs - progress.startedAtMs) - progress.heldMs),
    firstTokenMs: progress.firstPartAtMs === null ? null : Math.max(0, progress.firstPartAtMs - calledAtMs),
    promptTokens,
    completionTokens,
    costNanoUsd: cost,
    answerCharacters: progress.characters,
    scoreMicro,
    simulated,
  };
};

/** What is refused before its first part costs nothing. */
const refusals: ReadonlySet<Failure['code']> = new Set([
  'provider_error',
  'provider_unavailable',
  'provider_rate_limited',
  'provider_refused',
]);

const failureOf = ({ code, detail }: ProviderError, stopping: AbortSignal, tooLong: AbortSignal, answerTokens: number): Failure => {
  if (code !== 'cancelled') return { code, detail };
  if (stopping.aborted) return { code, detail: 'the process stopped' };
  return tooLong.aborted
    ? { code: 'answer_too_large', detail: `longer than the ${answerTokens} tokens that were reserved for it` }
    : { code, detail };
};

const firstTokenOf = ({ firstPartAtMs, startedAtMs }: Progress): number | null =>
  firstPartAtMs === null ? null : Math.max(0, firstPartAtMs - startedAtMs);

/** A quarter of the UTF-8 bytes, as everywhere. */
const tokensOf = (bytes: number): number => Math.ceil(bytes / 4);
