import { beginProgress, observePart, observeTaken, type Progress } from '../domain/streaming/progress.ts';
import type { EventOf, FailureCode } from '../events/index.ts';
import type { ProviderCall, ProviderError, ProviderPart } from '../providers/provider.ts';
import type { AnswerPart } from '../requests/answer.ts';
import type { AnswerParts, HostParts, Passage } from './host-parts.ts';
import { recordAnswer, recordFailure, type Outcome, type ReceivedAnswer } from './outcome.ts';
import { followOutcome, type Said } from './resume.ts';

/**
 * Calls the provider for a decision that is in the log, hands its parts on, and appends the outcome before it tells the end.
 * However the caller leaves (abort, or simply no longer reading), the outcome is recorded.
 */
export async function* serveFromProvider(parts: HostParts, passage: Passage, decision: EventOf<'route.decided'>): AnswerParts {
  const { request, signal } = passage;
  const { arm, model } = decision.data;
  const atWork = parts.models.get(model);
  const received: ReceivedAnswer = { progress: beginProgress(request.receivedAtMs), text: '', toolCalls: [] };
  const calledAtMs = parts.nowMs();
  const ended = (outcome: Outcome, scoreMicro: number | null): Outcome => {
    const { progress, text } = received;
    if (outcome.kind === 'recorded')
      parts.shadower?.follow({ request, decision, event: outcome.event, calledAtMs, progress, text, scoreMicro });
    return outcome;
  };
  const failure = async (code: FailureCode, detail: string) =>
    ended(await recordFailure(parts, passage, { decision, received, atWork, code, detail }), null);
  // What the log holds wins: an outcome that somebody else recorded is told in place of this one.
  let said: Said = 'nothing';
  const told = async function* (outcome: Outcome): AnswerParts {
    if (outcome.kind === 'recorded') yield outcome.part;
    else yield* followOutcome(parts, passage, outcome.sequence, said);
  };

  if (atWork === undefined) {
    // A decision of an earlier configuration, met again after its model was taken out.
    return yield* told(await failure('interrupted', `model ${model} is not in the configuration any more`));
  }

  let recorded = false;
  // Stops the provider when the caller aborts, and when it leaves without.
  const leaving = new AbortController();
  const leave = () => {
    leaving.abort();
  };
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    said = 'started';
    yield {
      kind: 'started',
      requestId: request.requestId,
      arm,
      model,
      cache: request.caching === 'use' ? 'miss' : 'bypass',
      simulated: atWork.provider.simulated,
    };
    for await (const part of atWork.provider.answer(callOf(parts, passage, leaving.signal))) {
      const delta = take(received, part, parts.nowMs());
      if (delta !== null) {
        said = 'text';
        yield delta;
        observeTaken(received.progress, parts.nowMs());
        continue;
      }
      if (part.kind === 'end') {
        recorded = true;
        const outcome = await recordAnswer(parts, passage, { decision, received, atWork, end: part });
        return yield* told(ended(outcome, part.measuredScoreMicro ?? null));
      }
      if (part.kind === 'error') {
        recorded = true;
        return yield* told(await failure(codeOf(part.error, signal, received.progress), part.error.detail));
      }
    }
    recorded = true;
    yield* told(await failure('answer_truncated', 'the provider ended without saying so'));
  } catch (error) {
    // Neither the caller's doing nor the arm's.
    if (!recorded) {
      recorded = true;
      await failure('interrupted', 'an internal error ended the answer');
    }
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    if (!recorded) {
      leave();
      await failure('cancelled', 'the caller went away');
    }
  }
}

/** What the caller brought about is not the arm's fault: that it went away, or that it took longer over the parts than the model did. */
const codeOf = ({ code }: ProviderError, signal: AbortSignal, { startedAtMs, lastPartAtMs, heldMs }: Progress): FailureCode =>
  signal.aborted || (code === 'provider_timeout' && heldMs > (lastPartAtMs - startedAtMs) / 2) ? 'cancelled' : code;

const take = (received: ReceivedAnswer, part: ProviderPart, atMs: number): AnswerPart | null => {
  switch (part.kind) {
    case 'text':
      observePart(received.progress, part.text.length, atMs);
      received.text += part.text;
      return { kind: 'delta', text: part.text };
    case 'tool-calls':
      observePart(received.progress, 0, atMs);
      received.toolCalls.push(...part.toolCalls);
      return { kind: 'delta', text: '', toolCalls: part.toolCalls };
    case 'end':
    case 'error':
      return null;
  }
};

const callOf = (parts: HostParts, passage: Passage, signal: AbortSignal): ProviderCall => {
  const { request } = passage;
  const { requests } = parts.config;
  return {
    requestId: request.requestId,
    messages: request.messages,
    parameters: request.parameters,
    streamed: request.streamed,
    deadlines: { firstTokenMs: requests.firstTokenMs, idleMs: requests.idleMs, totalMs: Math.max(1, passage.deadlineMs - parts.nowMs()) },
    maxAnswerBytes: requests.answerBytes,
    traceparent: request.traceparent,
    signal,
  };
};
