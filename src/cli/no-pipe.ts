import { stat } from 'node:fs/promises';
import { usageError } from './exit-codes.ts';

/** Nobody may ever write to a pipe that has a name, and waiting for it cannot be ended. Those that a shell makes (`/dev/fd/63`) have a writer. */
export const refuseNamedPipe = async (file: string): Promise<void> => {
  const found = await stat(file).catch(() => null);
  if (found?.isFIFO() === true && !file.startsWith('/dev/')) throw usageError(`${file}: expected a file, got a pipe`);
};

/** A file that is read twice. */
export const requireFile = async (file: string): Promise<void> => {
  const found = await stat(file).catch(() => null);
  if (found !== null && !found.isFile())
    throw usageError(`${file}: expected a file, which is read twice, got ${found.isDirectory() ? 'a folder' : 'a pipe or a device'}`);
};
