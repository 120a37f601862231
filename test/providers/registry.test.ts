import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { providerConfigSchema } from '../../src/config/provider-schema.ts';
import { closeProviders, createProviders } from '../../src/providers/registry.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { startMockProvider } from '../support/mock-provider.ts';
import { callOf, collect, endOf, errorOf, textOf } from '../support/provider-calls.ts';

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});
const model = (id: string, provider: object) => ({ id, provider: providerConfigSchema.parse(provider) });
const create = async (models: readonly ReturnType<typeof model>[], keys: Readonly<Record<string, string>> = {}) => {
  const providers = await createProviders({ config: { models }, secrets: { apiKeys: new Map(Object.entries(keys)) } });
  opened.push(() => closeProviders(providers));
  return providers;
};
const answerOf = async (providers: ReadonlyMap<string, Provider>, id: string) => collect(providers.get(id)!.answer(callOf()));

const sim = { kind: 'simulated', firstTokenMs: { median: 0, p95: 0 }, tokensPerSecond: 100_000, quality: 1 };

test('makes of each model of the configuration its provider', async () => {
  const mock = await startMockProvider({
    script: ({ headers }) => ({ kind: 'bytes', status: headers.authorization === 'Bearer k' ? 403 : 401, chunks: [], then: 'end' }),
  });
  opened.push(mock.close);
  const folder = await mkdtemp(path.join(tmpdir(), 'switchyard-registry-'));
  opened.push(() => rm(folder, { recursive: true }));
  await writeFile(
    path.join(folder, 'rows.jsonl'),
    JSON.stringify({ prompt: callOf().messages[0]!['content'], arms: { a: { reward: 1, cost: 1 }, b: { reward: 0, cost: 2 } } }),
  );
  const providers = await create(
    [
      model('s', sim),
      model('http', { kind: 'openai-compatible', baseUrl: mock.url, model: 'gpt', apiKeyEnv: 'THE_KEY' }),
      model('first', { kind: 'recorded', folder, model: 'a' }),
      model('second', { kind: 'recorded', folder, model: 'b' }),
    ],
    { THE_KEY: 'k' },
  );
  expect([...providers].map(([id, provider]) => [id, provider.id, provider.simulated])).toEqual([
    ['s', 's', true],
    ['http', 'http', false],
    ['first', 'first', true],
    ['second', 'second', true],
  ]);
  expect(textOf(await answerOf(providers, 's'))).toMatch(/^\[simulated s\]/);
  expect(errorOf(await answerOf(providers, 'http')).httpStatus).toBe(403);
  expect(endOf(await answerOf(providers, 'first')).costNanoUsd).toBe(1_000_000_000);
  expect(endOf(await answerOf(providers, 'second')).costNanoUsd).toBe(2_000_000_000);
});

test('names every variable that holds no key, and its model', async () => {
  const http = (id: string, apiKeyEnv: string) =>
    model(id, { kind: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', model: 'm', apiKeyEnv });
  await expect(
    create([http('one', 'KEY_ONE'), http('two', 'KEY_TWO'), http('three', 'KEY_THREE')], { KEY_TWO: 'k', KEY_THREE: '' }),
  ).rejects.toThrow('expected API keys in the environment, found nothing in KEY_ONE for model one, KEY_THREE for model three');
});

test('closes all of them', async () => {
  const providers = await create([model('s', sim), model('t', sim)]);
  await closeProviders(providers);
  for (const id of ['s', 't']) expect(errorOf(await answerOf(providers, id)).code).toBe('provider_unavailable');
});
