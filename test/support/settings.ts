import os from 'node:os';
import path from 'node:path';
import { configSchema, type ConfigInput } from '../../src/config/schema.ts';
import type { Secrets, Settings } from '../../src/config/settings.ts';

const instant = (id: string): NonNullable<ConfigInput['models']>[number] => ({
  id,
  provider: { kind: 'simulated', firstTokenMs: { median: 0, p95: 0 }, tokensPerSecond: 1_000_000, quality: 0.8 },
  price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 },
  contextTokens: 100_000,
});

/**
 * Settings for a test: what the test is about is given, the rest are the product's own defaults, with two simulated models that answer at once.
 * Without `dataDir` there is none: a test that writes must make its own folder.
 */
export const testSettings = (config: Partial<ConfigInput> = {}, secrets: Partial<Secrets> = {}): Settings => ({
  config: configSchema.parse({
    dataDir: path.join(os.tmpdir(), 'switchyard-test-without-data-folder'),
    logLevel: 'silent',
    models: [instant('model-a'), instant('model-b')],
    arms: [
      { id: 'arm-a', model: 'model-a' },
      { id: 'arm-b', model: 'model-b' },
    ],
    // Tests count events; those that are about shadows say so.
    shadow: { share: 0 },
    ...config,
  }),
  secrets: {
    natsPassword: undefined,
    clickhousePassword: undefined,
    hashKey: new Uint8Array(32).fill(7),
    hashKeyIsGiven: true,
    apiKeys: new Map(),
    ...secrets,
  },
  file: null,
});
