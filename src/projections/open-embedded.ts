import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PermanentError } from '../errors.ts';
import { explainError, openClickhouse, type Clickhouse, type ClickhouseAddress } from './clickhouse.ts';

/**
 * Opens the engine over a folder of this machine.
 *
 * 1. A folder that another process has open is waited for: it may be the projector of before, which is ending.
 * 2. A power cut can leave a folder that the engine refuses to open; everything in it can be made again from the log, so that nobody should have to come and repair it: the folder is set aside,
 *    whole, and a new one begins. One such folder is kept, for whoever wants to know; what had aged out of the log is only there.
 *
 * The engine says only that it could not open. It leaves the file `status` with its process id in the folder while it is open: an owner who lived before the attempt means locked, a dead one that the
 * end was not in order. Anything else (rights, a full disk) is for a person to mend.
 */
export const openEmbedded = async (
  address: Extract<ClickhouseAddress, { kind: 'embedded' }>,
  options: { readonly requestTimeoutMs: number; readonly logger: Logger },
): Promise<Clickhouse> => {
  await mkdir(address.path, { recursive: true });
  // Asked first: a failed attempt takes the file away.
  const owner = await ownerOf(address.path);
  const untilMs = Date.now() + lockedPatienceMs;
  for (;;) {
    const isHeld = owner !== null && owner !== process.pid && isAlive(owner);
    try {
      return await openClickhouse(address, options);
    } catch (error) {
      if (owner === null || !isRefusal(error)) throw error;
      if (!isHeld) {
        if (!(await canWrite(address.path))) throw error;
        const aside = await setAside(address.path);
        options.logger.error(
          { err: explainError(error), aside },
          'the ClickHouse folder is damaged: set aside; building a new one from the log',
        );
        return openClickhouse(address, options);
      }
      if (Date.now() > untilMs)
        throw new PermanentError(
          'clickhouse-locked',
          `expected ${address.path} to be open in this process alone, but process ${owner} has it open: stop the other projector`,
          { cause: error },
        );
      await sleep(lockedPauseMs);
    }
  }
};

const lockedPatienceMs = 10_000;
const lockedPauseMs = 200;

const isRefusal = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'CHDB_CONNECTION';

const ownerOf = async (folder: string): Promise<number | null> => {
  const status = await readFile(path.join(folder, 'status'), 'utf8').catch(() => '');
  const pid = Number(/^PID: (\d+)$/m.exec(status)?.[1]);
  return Number.isSafeInteger(pid) ? pid : null;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

const canWrite = async (folder: string): Promise<boolean> => {
  const probe = path.join(folder, 'probe');
  try {
    await writeFile(probe, 'x'.repeat(4_096));
    await rm(probe);
    return true;
  } catch {
    return false;
  }
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
