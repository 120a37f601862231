import { extractFeatures } from '../domain/routing/features/extract.ts';
import { simulateAnswer, type SimulationProfile } from '../domain/streaming/simulation.ts';
import { systemTenant } from '../events/index.ts';
import type { JsonObject } from '../json.ts';
import { createPlayer, type Script } from './playback.ts';
import type { Provider, ProviderCall } from './provider.ts';

/**
 * A model that is declared, not run: time to the first token, pace, length, failures and quality come from a seeded draw for each request, and the text
 * says that it is simulated. The drawn judgement goes out as the measured score, so that a router has something to learn.
 */
export type SimulatedOptions = { readonly id: string; readonly profile: SimulationProfile };

export const simulated = ({ id, profile }: SimulatedOptions): Provider => {
  const player = createPlayer();
  return { id, simulated: true, answer: (call) => player.play(call, scriptOf(id, profile, call)), close: player.close };
};

const scriptOf = (id: string, profile: SimulationProfile, call: ProviderCall): Script => {
  const answer = simulateAnswer(profile, { model: id, requestId: call.requestId, maxTokens: maxTokensOf(call.parameters) });
  if (answer.fails)
    return {
      pieces: [],
      last: { kind: 'error', error: { code: 'provider_error', detail: 'simulated failure' } },
      lastAtMs: answer.firstTokenMs,
    };
  const atMs = (token: number) => answer.firstTokenMs + (token * 1_000) / profile.tokensPerSecond;
  return {
    pieces: timed(answer.words(), atMs),
    last: {
      kind: 'end',
      finishReason: answer.finishReason,
      usage: {
        promptTokens: extractFeatures({ messages: call.messages, parameters: {}, tenant: systemTenant }).promptTokensEstimate,
        completionTokens: answer.tokens,
      },
      measuredScoreMicro: answer.scoreMicro,
    },
    lastAtMs: atMs(answer.tokens - 1),
  };
};

function* timed(words: Iterable<string>, atMs: (token: number) => number): Generator<{ text: string; atMs: number }, void, undefined> {
  let token = 0;
  for (const text of words) yield { text, atMs: atMs(token++) };
}

const maxTokensOf = (parameters: JsonObject): number | undefined => {
  const given = parameters['max_completion_tokens'] ?? parameters['max_tokens'];
  return typeof given === 'number' ? given : undefined;
};
