import { ConfigError } from '../config/config-error.ts';
import { PermanentError, TransientError } from '../errors.ts';
import { hopelessStatus } from './child.ts';

/**
 * The end of a process that could not start. What the user can mend is one readable message and a status that tells the parent not to try again;
 * anything else is a defect and shows its stack.
 */
export const explainAndExit = (error: unknown): never => {
  const transient = error instanceof TransientError;
  if (error instanceof ConfigError || error instanceof PermanentError || transient || isListenError(error)) {
    process.stderr.write(`switchyard: ${messageOf(error)}\n`);
    process.exit(transient ? 1 : hopelessStatus);
  }
  process.stderr.write(`switchyard: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
};

type ListenError = Error & { readonly code: 'EADDRINUSE' | 'EACCES' | 'EADDRNOTAVAIL'; readonly address?: string; readonly port?: number };

const isListenError = (error: unknown): error is ListenError =>
  error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL');

const messageOf = (error: Error): string => {
  if (!isListenError(error)) return error.message;
  const reason = {
    EADDRINUSE: 'is taken by another process',
    EACCES: 'may not be opened by this user',
    EADDRNOTAVAIL: 'is not an address of this machine',
  }[error.code];
  return `expected a free port, but ${error.address ?? ''}:${error.port ?? ''} ${reason}; set another one in switchyard.yaml or by SWITCHYARD_HTTP_PORT, SWITCHYARD_NATS_PORT or SWITCHYARD_CLICKHOUSE_PORT`;
};
