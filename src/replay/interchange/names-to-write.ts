import { lstat, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileKind } from '../../file-kind.ts';
import { refuseFile } from './foreign-bytes.ts';

/**
 * For callers who have long work before them, too. A file, or a link that leads to one or nowhere, is replaced with `force` alone; a device, a pipe, a socket and a folder never are. `option`: what sets `force`.
 */
export const refuseTaken = async (
  files: readonly string[],
  { force, option = '--force' }: { readonly force: boolean; readonly option?: string },
): Promise<void> => {
  for (const file of files) {
    const found = await lstat(file).catch(() => null);
    if (found === null) continue;
    // The system's own names, such as /dev/stdout, may lead to a file.
    const kind = path.dirname(path.resolve(file)) === '/dev' ? 'a device' : fileKind(file);
    if (kind !== null && kind !== 'a file') throw refuseFile(file, `expected the name of a file, got ${kind}`);
    if (!force) throw refuseFile(file, `expected a name that is not taken; ${option} replaces what is there`);
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
