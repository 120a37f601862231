import type { ConfigInput } from '../src/config/schema.ts';

/** The yard whose decisions are decided again: three arms that answer at once, of different quality and price, and two tenants, one with a budget. */
const model = (id: string, usd: number) => ({
  id,
  // Declared, not asked: the workers bring a provider of their own, see replay-worker.ts.
  provider: { kind: 'simulated', firstTokenMs: { median: 0, p95: 0 }, tokensPerSecond: 1_000_000, quality: 1 } as const,
  price: { inputUsdPerMillionTokens: usd, outputUsdPerMillionTokens: 4 * usd },
  contextTokens: 100_000,
});

export const replayYard: ConfigInput = {
  models: [model('model-a', 3), model('model-b', 1), model('model-c', 0.1)],
  arms: [
    { id: 'a', model: 'model-a' },
    { id: 'b', model: 'model-b' },
    { id: 'c', model: 'model-c' },
  ],
  tenants: [{ id: 'default' }, { id: 'acme', budget: { usdPerRequest: 0.0002 } }],
  // Every request is decided.
  cache: { enabled: false },
  shadow: { share: 0 },
};

/** Probability that an answer is of use. */
export const qualityOf: Readonly<Record<string, number>> = { 'model-a': 0.9, 'model-b': 0.8, 'model-c': 0.6 };

/** What a worker is told to do, and says when it has. */
export type WorkerTask = { readonly from: number; readonly to: number };
export type WorkerSays = { readonly kind: 'ready' } | { readonly kind: 'asked'; readonly failed: number };

export const requestId = (index: number): string => `replay-${index}`;
export const tenantOf = (index: number): 'default' | 'acme' => (index % 3 === 0 ? 'acme' : 'default');
