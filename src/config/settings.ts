import type { Config } from './schema.ts';

/**
 * What a process runs with: the checked configuration, and the secrets, which come from the environment alone and are in no file,
 * event or log line.
 */
export type Settings = {
  readonly config: Config;
  readonly secrets: Secrets;
  /** Absolute path of the file that was read; null when the built-in default was used. */
  readonly file: string | null;
};

export type Secrets = {
  readonly natsPassword: string | undefined;
  readonly clickhousePassword: string | undefined;
  /** Key of the hashes that stand in events in place of text. */
  readonly hashKey: Uint8Array;
  /** By the environment; else it is the one in the data folder, and another may be agreed on. */
  readonly hashKeyIsGiven: boolean;
  /** Values of the variables that models name as `apiKeyEnv`. */
  readonly apiKeys: ReadonlyMap<string, string>;
};
