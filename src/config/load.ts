import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfigFile } from './config-file.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { hashKeyFrom, hashKeyThere } from './hash-key.ts';
import { problemsOf } from './problems.ts';
import { configSchema, type Config, type ModelConfig } from './schema.ts';
import type { Secrets, Settings } from './settings.ts';
import { applyVariables, fileVariable, isGiven, unknownVariables, type Environment } from './variables.ts';

/**
 * What a process runs with, from a file, the environment over it, and defaults under it. Throws one ConfigError with every mistake that was found; nothing
 * has been started or written by then. This folder is the only reader of the environment.
 */
export const loadSettings = (options: LoadOptions = {}): Settings => {
  const { config, secrets, file } = loadConfig(options);
  const given = givenIn(options.env ?? process.env)('SWITCHYARD_HASH_KEY');
  const hashKey = hashKeyFrom(given, config.dataDir);
  return { config, secrets: { ...secrets, hashKey, hashKeyIsGiven: given !== undefined }, file };
};

/** The key of the hashes for those who only look: null when it is not given and no process has made one in the data folder yet. */
export const findHashKey = ({ config }: LoadedConfig, env: Environment = process.env): Uint8Array | null =>
  hashKeyThere(givenIn(env)('SWITCHYARD_HASH_KEY'), config.dataDir);

/** Settings without the key of the hashes, for those who only look: nothing is written. */
export type LoadedConfig = Omit<Settings, 'secrets'> & { readonly secrets: Omit<Secrets, 'hashKey' | 'hashKeyIsGiven'> };

export const loadConfig = ({ file, env = process.env, cwd = process.cwd() }: LoadOptions = {}): LoadedConfig => {
  const source = path.resolve(cwd, givenFile(file, env) ?? defaultFile);
  const read = readConfigFile(source);
  if (read.kind === 'unreadable') throw new ConfigError(source, [...read.problems, ...unknownVariables(env, [])]);

  const overridden = applyVariables(read.content, env);
  const parsed = configSchema.safeParse(overridden.config);
  const origins = { content: overridden.config, lineOf: read.lineOf, variableOf: overridden.origin };
  const misspelt = unknownVariables(env, apiKeyNames(parsed.data?.models ?? []));
  if (!parsed.success) throw new ConfigError(source, [...problemsOf(parsed.error, origins), ...misspelt]);
  if (misspelt.length > 0) throw new ConfigError(source, misspelt);

  const config = withAbsoluteFolders(parsed.data, path.dirname(source));
  return { config, secrets: secretsFrom(config, env), file: source };
};

/** The file that somebody asked for, with an option or by the environment; null: nobody did. */
export const givenFile = (file: string | undefined, env: Environment = process.env): string | null =>
  file ?? (isGiven(env[fileVariable]) ? env[fileVariable] : null);

export type LoadOptions = {
  /** Relative to `cwd`. Without it SWITCHYARD_CONFIG counts, then the switchyard.yaml of this clone. */
  readonly file?: string | undefined;
  readonly env?: Environment;
  readonly cwd?: string;
};

const defaultFile = fileURLToPath(new URL('../../switchyard.yaml', import.meta.url));

/** Throws a ConfigError that names the variables of keys that models need and the environment lacks. For those who are about to call providers. */
export const requireApiKeys = ({ config, secrets, file }: LoadedConfig): void => {
  const problems = config.models.flatMap(({ provider }, index): ConfigProblem[] =>
    provider.kind === 'openai-compatible' && provider.apiKeyEnv !== undefined && !secrets.apiKeys.has(provider.apiKeyEnv)
      ? [
          {
            where: `models[${index}].provider.apiKeyEnv`,
            expected: `the environment variable ${provider.apiKeyEnv} to hold the key`,
            seen: 'nothing',
          },
        ]
      : [],
  );
  if (problems.length > 0) throw new ConfigError(file ?? 'built in', problems);
};

const givenIn = (env: Environment) => (name: string) => (isGiven(env[name]) ? env[name] : undefined);

const secretsFrom = (config: Config, env: Environment): LoadedConfig['secrets'] => {
  const given = givenIn(env);
  return {
    natsPassword: given('NATS_PASSWORD'),
    clickhousePassword: given('CLICKHOUSE_PASSWORD'),
    apiKeys: new Map(
      apiKeyNames(config.models).flatMap((name) => {
        const key = given(name);
        return key === undefined ? [] : [[name, key] as const];
      }),
    ),
  };
};

const apiKeyNames = (models: readonly ModelConfig[]): readonly string[] =>
  models.flatMap(({ provider }) => (provider.kind === 'openai-compatible' && provider.apiKeyEnv !== undefined ? [provider.apiKeyEnv] : []));

/** Folders named in the file are meant from the file, wherever the command is called. */
const withAbsoluteFolders = (config: Config, folder: string): Config => ({
  ...config,
  dataDir: path.resolve(folder, config.dataDir),
  models: config.models.map((model) =>
    model.provider.kind === 'recorded'
      ? { ...model, provider: { ...model.provider, folder: path.resolve(folder, model.provider.folder) } }
      : model,
  ),
});
