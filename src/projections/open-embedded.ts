import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import { PermanentError } from '../errors.ts';
import { explainError, openClickhouse, type Clickhouse, type ClickhouseAddress } from './clickhouse.ts';

/**
 * Opens the engine over a folder of this machine. A power cut can leave a folder that the engine refuses to open; everything in it can be made again from the
 * log, so that nobody should have to come and repair it: the folder is set aside, whole, and a new one begins. One such folder is kept, for whoever wants
 * to know; what had aged out of the log is only there.
 */
export const openEmbedded = async (
  address: Extract<ClickhouseAddress, { kind: 'embedded' }>,
  options: { readonly requestTimeoutMs: number; readonly logger: Logger },
): Promise<Clickhouse> => {
  await mkdir(address.path, { recursive: true });
  try {
    return await openClickhouse(address, options);
  } catch (error) {
    switch (openingFault(error)) {
      case 'locked':
        throw new PermanentError(
          'clickhouse-locked',
          `expected ${address.path} to be open in this process alone: stop the other projector`,
          {
            cause: error,
          },
        );
      case 'damaged': {
        const aside = await setAside(address.path);
        options.logger.error(
          { err: explainError(error), aside },
          'the ClickHouse folder is damaged: set aside; building a new one from the log',
        );
        return openClickhouse(address, options);
      }
      case 'other':
        throw error;
    }
  }
};

/** Numbers from src/Common/ErrorCodes.cpp of ClickHouse that speak of what was found in the files, not of the machine. */
const damageCodes = new Set([
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  40, // CHECKSUM_DOESNT_MATCH
  62, // SYNTAX_ERROR, in the definition of a table
  117, // INCORRECT_DATA
  226, // NO_FILE_IN_DATA_PART
  231, // TOO_MANY_UNEXPECTED_DATA_PARTS
  246, // CORRUPTED_DATA
]);
const lockedCode = 76; // CANNOT_OPEN_FILE: the status file of the folder is locked

/** The embedded engine gives its own number only inside the text of the error with which a connection fails. */
const openingFault = (error: unknown): 'locked' | 'damaged' | 'other' => {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'CHDB_CONNECTION') return 'other';
  const code = Number(/Code: (\d+)\./.exec(error.message)?.[1]);
  if (code === lockedCode) return 'locked';
  return damageCodes.has(code) ? 'damaged' : 'other';
};

const setAside = async (folder: string): Promise<string> => {
  const prefix = `${path.basename(folder)}.damaged-`;
  const parent = path.dirname(folder);
  for (const name of await readdir(parent))
    if (name.startsWith(prefix)) await rm(path.join(parent, name), { recursive: true, force: true });
  const aside = path.join(parent, `${prefix}${new Date().toISOString().replace(/[:.]/g, '-')}`);
  await rename(folder, aside);
  await mkdir(folder);
  return aside;
};
