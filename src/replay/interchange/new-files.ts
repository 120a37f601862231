import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { refuseFile } from './foreign-bytes.ts';

/**
 * Files appear under their names when they are whole, and not before: they are written beside, under names that nobody looks for, brought to the disk and renamed.
 *
 * 1. Whatever ends the writing leaves no half file under these names, and unless the process was killed nothing at all.
 * 2. What exists under a name, be it a symbolic link that leads nowhere, is not touched without `force`; with it the link is replaced and not what it leads to.
 * 3. The folder of a file must be there: one that is not is more often a mistake in its name than wished for. Only `folders` are made, of which the caller says that they belong to what is written.
 */
export const writeNewFiles = async <Result>(
  files: readonly string[],
  {
    force,
    option = '--force',
    folders = [],
  }: {
    readonly force: boolean;
    /** That sets it, for messages. */
    readonly option?: string;
    /** Made where they are not there, the outermost first. */
    readonly folders?: readonly string[];
  },
  write: (temporaries: readonly string[]) => Promise<Result>,
): Promise<Result> => {
  if (!force) await refuseExisting(files, option);
  await requireFolders(folders.length === 0 ? files : folders.slice(0, 1));
  const made = await makeFolders(folders);
  const temporaries = files.map((file) => path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.partial`));
  try {
    const result = await write(temporaries);
    for (const temporary of temporaries) await bringToDisk(temporary);
    // Somebody else may have written there meanwhile.
    if (!force) await refuseExisting(files, option);
    for (const [i, file] of files.entries()) await rename(temporaries[i] ?? file, file);
    return result;
  } catch (error) {
    // What cannot be removed was not made; the first error is the one to tell.
    for (const temporary of temporaries) await rm(temporary, { force: true }).catch(() => undefined);
    // From the inside out, as long as they are empty.
    for (const folder of made.toReversed()) await rmdir(folder).catch(() => undefined);
    throw isOfOneOf(temporaries, error) ? refuseFile(files[0] ?? '', 'expected a folder that can be written to', error) : error;
  }
};

/** For callers who have long work before them, too. */
export const refuseExisting = async (files: readonly string[], option = '--force'): Promise<void> => {
  for (const file of files) {
    const found = await lstat(file).catch(() => null);
    if (found !== null) throw refuseFile(file, `expected a name that is not taken; ${option} replaces what is there`);
  }
};

/** For callers who have long work before them, too: each file in a folder that is there. */
export const requireFolders = async (files: readonly string[]): Promise<void> => {
  for (const folder of new Set(files.map((file) => path.dirname(path.resolve(file))))) {
    const found = await stat(folder).catch(() => null);
    if (found?.isDirectory() !== true)
      throw refuseFile(folder, `expected a folder to write to, got ${found === null ? 'none of that name' : 'something else'}`);
  }
};

/** Those that were made. */
const makeFolders = async (folders: readonly string[]): Promise<readonly string[]> => {
  const made: string[] = [];
  for (const folder of folders) if (await makeFolder(folder)) made.push(folder);
  return made;
};

/** Whether it was not there. */
const makeFolder = async (folder: string): Promise<boolean> => {
  try {
    await mkdir(folder);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw refuseFile(folder, 'expected a folder that can be made', cause);
  }
};

/** An error of the operating system that names a file of ours. */
const isOfOneOf = (files: readonly string[], error: unknown): boolean =>
  error instanceof Error && 'path' in error && files.some((file) => file === error.path);

const bringToDisk = async (file: string): Promise<void> => {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
