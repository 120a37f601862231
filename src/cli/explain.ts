import { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { PermanentError, TransientError } from '../errors.ts';
import { CommandError, exitCodes, type ExitCode } from './exit-codes.ts';

/**
 * What a failed command says and how it ends. Everything that the caller can put right is one sentence; only a mistake of ours shows its stack.
 */
export type Explanation = { readonly exitCode: ExitCode; readonly message: string | null };

export const explain = (error: unknown): Explanation => {
  // Commander has said it already, in its own words; help and version come this way too.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage, message: null };
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof ConfigError || error instanceof PermanentError) return { exitCode: exitCodes.usage, message: error.message };
  if (error instanceof TransientError)
    return { exitCode: exitCodes.unreachable, message: `${error.message}; try again, or see ./switchyard status` };
  const seen = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: exitCodes.internal, message: `this should not have happened, please report it:\n${seen}` };
};
