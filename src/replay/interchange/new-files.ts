import { randomUUID } from 'node:crypto';
import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { storageFault } from '../../storage-fault.ts';
import { refuseFile } from './foreign-bytes.ts';
import { refuseTaken, requireFolders } from './names-to-write.ts';

/**
 * Files appear under their names when they are whole, and not before: they are written beside, under names that nobody looks for, brought to the disk and renamed.
 *
 * 1. Whatever ends the writing leaves no half file under these names, and unless the process was killed nothing at all.
 * 2. What exists under a name, be it a symbolic link that leads nowhere, is not touched without `force`; with it the link is replaced and not what it leads to. What is no file is never replaced.
 * 3. A disk that is full, or takes no more for another reason, is told as such.
 * 4. The folder of a file must be there: one that is not is more often a mistake in its name than wished for. Only `folders` are made, of which the caller says that they belong to what is written.
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
  await refuseTaken(files, { force, option });
  await requireFolders(folders.length === 0 ? files : folders.slice(0, 1));
  const made: string[] = [];
  const temporaries = files.map((file) => path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.partial`));
  const sweep = (): void => {
    for (const temporary of temporaries)
      quietly(() => {
        rmSync(temporary, { force: true });
      });
    // From the inside out, as long as they are empty.
    for (const folder of made.toReversed())
      quietly(() => {
        rmdirSync(folder);
      });
  };
  // A second Ctrl-C ends the process without an error that could be caught here.
  process.once('exit', sweep);
  try {
    for (const folder of folders) if (await makeFolder(folder)) made.push(folder);
    const result = await write(temporaries);
    for (const temporary of temporaries) await bringToDisk(temporary);
    // Somebody else may have written there meanwhile.
    await refuseTaken(files, { force, option });
    for (const [i, file] of files.entries()) await rename(temporaries[i] ?? file, file);
    return result;
  } catch (error) {
    // They are written one after the other: it is the last that is there.
    const file = files.findLast((_, i) => existsSync(temporaries[i] ?? '')) ?? files[0] ?? '';
    sweep();
    throw inWords(error, file);
  } finally {
    process.off('exit', sweep);
  }
};

/** What cannot be removed was not made; the first error is the one to tell. */
const quietly = (remove: () => void): void => {
  try {
    remove();
  } catch {
    // Nothing is left to do about it.
  }
};

/** Errors of the operating system about what is written. All others are those of whoever writes. */
const inWords = (error: unknown, file: string): unknown => {
  const fault = storageFault(error);
  if (fault !== null) return refuseFile(file, `could not be written: ${fault}`, error);
  return isIn(path.dirname(file), error) ? refuseFile(file, 'expected a folder that can be written to', error) : error;
};

/** Whether it was not there. */
const makeFolder = async (folder: string): Promise<boolean> => {
  try {
    await mkdir(folder);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    if (storageFault(cause) !== null) throw inWords(cause, folder);
    throw refuseFile(folder, 'expected a folder that can be made', cause);
  }
};

/** An error of the operating system that names something in the folder: what is there for a while has names of its own. */
const isIn = (folder: string, error: unknown): boolean =>
  error instanceof Error &&
  'path' in error &&
  typeof error.path === 'string' &&
  path.resolve(path.dirname(error.path)) === path.resolve(folder);

const bringToDisk = async (file: string): Promise<void> => {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
