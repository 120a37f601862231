import type { ConfigInput } from '../../../src/config/schema.ts';

type Model = ConfigInput['models'][number];
type OneArm = { readonly models: [Model]; readonly arms: ConfigInput['arms'] };

/** One arm, so that a test knows who answers. */
const oneArm = (provider: Model['provider']): OneArm => ({
  models: [{ id: 'model-a', provider, price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 }, contextTokens: 100_000 }],
  arms: [{ id: 'arm-a', model: 'model-a' }],
});

/** A simulated model that takes so long to its first word and then speaks at once, or so many words a second. */
export const simulatedModel = (
  options: { readonly firstTokenMs?: number; readonly tokensPerSecond?: number; readonly errorRate?: number } = {},
) => {
  const { firstTokenMs = 0, tokensPerSecond = 1_000_000, errorRate = 0 } = options;
  return oneArm({
    kind: 'simulated',
    firstTokenMs: { median: firstTokenMs, p95: firstTokenMs },
    tokensPerSecond,
    errorRate,
    quality: 1,
    answerTokens: { median: 20, p95: 20 },
  });
};

/** A model behind a server that speaks OpenAI's API. */
export const servedModel = (baseUrl: string) => oneArm({ kind: 'openai-compatible', baseUrl, model: 'served' });
