import type { ModelConfig } from '../config/schema.ts';
import type { Secrets } from '../config/settings.ts';
import { PermanentError } from '../errors.ts';
import { openAiCompatible } from './openai-compatible.ts';
import type { Provider } from './provider.ts';
import { loadRecordedAnswers, recorded, type RecordedAnswers } from './recorded.ts';
import { simulated } from './simulated.ts';

/** From configuration to providers, one for each model, by its id. What is missing (a key, a file, a model in it) is an error here, before any request. */
export type ProviderSettings = {
  readonly config: { readonly models: readonly Pick<ModelConfig, 'id' | 'provider'>[] };
  readonly secrets: Pick<Secrets, 'apiKeys'>;
};

export const createProviders = async ({ config, secrets }: ProviderSettings): Promise<ReadonlyMap<string, Provider>> => {
  refuseMissingKeys(config.models, secrets);
  const answersOf = await loadFolders(config.models);
  return new Map(config.models.map(({ id, provider }) => [id, createProvider(id, provider, secrets, answersOf)]));
};

/** All of them at once; calls under way end as errors. */
export const closeProviders = async (providers: ReadonlyMap<string, Provider>): Promise<void> => {
  await Promise.all([...providers.values()].map((provider) => provider.close()));
};

type Models = ProviderSettings['config']['models'];

const createProvider = (
  id: string,
  provider: ModelConfig['provider'],
  { apiKeys }: Pick<Secrets, 'apiKeys'>,
  answersOf: ReadonlyMap<string, RecordedAnswers>,
): Provider => {
  switch (provider.kind) {
    case 'simulated':
      return simulated({ id, profile: provider });
    case 'openai-compatible': {
      const { baseUrl, model, apiKeyEnv, connections } = provider;
      return openAiCompatible({ id, baseUrl, model, connections, apiKey: apiKeyEnv === undefined ? undefined : apiKeys.get(apiKeyEnv) });
    }
    case 'recorded': {
      const { folder, model, firstTokenMs } = provider;
      const answers = answersOf.get(folder);
      if (answers === undefined) throw new PermanentError('config-invalid', `model ${id}: folder ${folder} was not read`);
      return recorded({ id, answers, model, firstTokenMs });
    }
  }
};

const refuseMissingKeys = (models: Models, { apiKeys }: Pick<Secrets, 'apiKeys'>): void => {
  const missing = models.flatMap(({ id, provider }) =>
    provider.kind === 'openai-compatible' && provider.apiKeyEnv !== undefined && !apiKeys.get(provider.apiKeyEnv)
      ? [`${provider.apiKeyEnv} for model ${id}`]
      : [],
  );
  if (missing.length > 0)
    throw new PermanentError('config-invalid', `expected API keys in the environment, found nothing in ${missing.join(', ')}`);
};

/** Each folder once, however many models are recorded in it. */
const loadFolders = async (models: Models): Promise<ReadonlyMap<string, RecordedAnswers>> => {
  const folders = new Set(models.flatMap(({ provider }) => (provider.kind === 'recorded' ? [provider.folder] : [])));
  const loaded = new Map<string, RecordedAnswers>();
  for (const folder of folders) loaded.set(folder, await loadRecordedAnswers(folder));
  return loaded;
};
