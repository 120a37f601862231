import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { refuseFile } from './foreign-bytes.ts';

/**
 * Files appear under their names when they are whole, and not before: they are written beside, under names that nobody looks for, brought to the disk and renamed.
 *
 * 1. Whatever ends the writing leaves no half file under these names, and unless the process was killed nothing at all.
 * 2. What exists under a name, be it a symbolic link that leads nowhere, is not touched without `force`; with it the link is replaced and not what it leads to.
 * 3. The folder of the files is made where there is none, by the folders that it takes.
 */
export const writeNewFiles = async <Result>(
  files: readonly string[],
  { force, option = '--force' }: { readonly force: boolean; /** That sets it, for messages. */ readonly option?: string },
  write: (temporaries: readonly string[]) => Promise<Result>,
): Promise<Result> => {
  if (!force) await refuseExisting(files, option);
  const made = await makeFolders(files);
  const temporaries = files.map((file) => path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.partial`));
  try {
    const result = await write(temporaries);
    for (const temporary of temporaries) await bringToDisk(temporary);
    // Somebody else may have written there meanwhile.
    if (!force) await refuseExisting(files, option);
    for (const [i, file] of files.entries()) await rename(temporaries[i] ?? file, file);
    return result;
  } catch (error) {
    for (const temporary of temporaries) await rm(temporary, { force: true });
    // From the inside out, as long as they are empty.
    for (const folder of made) await rmdir(folder).catch(() => undefined);
    throw error;
  }
};

/** For callers who have long work before them, too. */
export const refuseExisting = async (files: readonly string[], option = '--force'): Promise<void> => {
  for (const file of files) {
    const found = await lstat(file).catch(() => null);
    if (found !== null) throw refuseFile(file, `expected a name that is not taken; ${option} replaces what is there`);
  }
};

/** Those that were made, the innermost first. */
const makeFolders = async (files: readonly string[]): Promise<readonly string[]> => {
  const made: string[] = [];
  for (const folder of new Set(files.map((file) => path.dirname(path.resolve(file))))) {
    const first = await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw refuseFile(folder, 'expected a folder that can be written to', cause);
    });
    if (first === undefined) continue;
    for (let at = folder; at.length >= first.length; at = path.dirname(at)) made.push(at);
  }
  return made;
};

const bringToDisk = async (file: string): Promise<void> => {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
