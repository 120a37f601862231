import { configSchema, type Config } from '../../../src/config/schema.ts';

const provider = { kind: 'simulated', firstTokenMs: { median: 1, p95: 2 }, tokensPerSecond: 1_000, quality: 0.5 };
const price = { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 };

/** Small limits, so that tests can go past them. */
export const gatewayConfig = (overrides: { http?: object; requests?: object; nats?: object } = {}): Config =>
  configSchema.parse({
    logLevel: 'silent',
    http: { port: 0, bodyLimitBytes: 64 * 1_024, ...overrides.http },
    nats: { port: 0, ...overrides.nats },
    requests: { promptCharacters: 20_000, messages: 20, jsonDepth: 8, ...overrides.requests },
    models: [
      { id: 'small', provider, price, contextTokens: 8_000 },
      { id: 'org/large', provider, price, contextTokens: 8_000 },
    ],
    arms: [
      { id: 'small-plain', model: 'small' },
      { id: 'large-plain', model: 'org/large' },
      { id: 'large-off', model: 'org/large', enabled: false },
    ],
    tenants: [{ id: 'default' }, { id: 'acme' }],
  });
