import { normalFrom, seededRandom } from '../random.ts';

/**
 * An answer as a declared model might give it. Pure: seed, model and request id decide the outcome, the length, the pace and every word.
 * Times to the first token and lengths are log-normal, given by median and 95th percentile; draws lie within four standard deviations.
 */
export type SimulationProfile = {
  readonly firstTokenMs: MedianAndP95;
  readonly tokensPerSecond: number;
  readonly answerTokens: MedianAndP95;
  /** Probability that the call fails. */
  readonly errorRate: number;
  /** Probability that the answer is judged good. */
  readonly quality: number;
  readonly seed: number;
};
type MedianAndP95 = { readonly median: number; readonly p95: number };

export type SimulatedAnswer = {
  readonly fails: boolean;
  readonly firstTokenMs: number;
  /** Number of words: one word is one token. */
  readonly tokens: number;
  readonly finishReason: 'stop' | 'length';
  /** 1,000,000 when judged good, 0 otherwise. */
  readonly scoreMicro: number;
  /** The words, the first of which says that no model speaks; each with its leading space. */
  readonly words: () => Iterable<string>;
};

const tokensMax = 1_000_000;

export const simulateAnswer = (
  profile: SimulationProfile,
  request: { readonly model: string; readonly requestId: string; readonly maxTokens: number | undefined },
): SimulatedAnswer => {
  const key = `${profile.seed}:${request.model}:${request.requestId}`;
  const random = seededRandom(key);
  // The order of the draws is part of what a seed means.
  const fails = random() < profile.errorRate;
  const firstTokenMs = logNormal(profile.firstTokenMs, random);
  const drawnTokens = Math.min(Math.max(Math.round(logNormal(profile.answerTokens, random)), 1), tokensMax);
  const good = random() < profile.quality;
  const tokens = Math.min(drawnTokens, Math.max(Math.floor(request.maxTokens ?? tokensMax), 1));
  return {
    fails,
    firstTokenMs,
    tokens,
    finishReason: tokens < drawnTokens ? 'length' : 'stop',
    scoreMicro: good ? 1_000_000 : 0,
    words: () => wordsOf(request.model, tokens, seededRandom(`${key}:words`)),
  };
};

/** ln X is normal with mean ln(median); the 95th percentile of the standard normal distribution is 1.6448536. A median of 0 means always 0. */
const logNormal = ({ median, p95 }: MedianAndP95, random: () => number): number => {
  const deviations = Math.min(Math.max(normalFrom(random), -4), 4);
  return median === 0 ? 0 : median * (p95 / median) ** (deviations / 1.644_853_626_951_472_2);
};

function* wordsOf(model: string, tokens: number, random: () => number): Generator<string, void, undefined> {
  yield `[simulated ${model}]`;
  for (let word = 1; word < tokens; word++) yield ` ${vocabulary[Math.floor(random() * vocabulary.length)] ?? ''}`;
}

const vocabulary =
  'the a one each this that signal track switch yard engine wagon line route station freight clock lamp lever crew runs waits turns joins leaves holds moves stops slowly early north west over under beside before and then while until'.split(
    ' ',
  );
