import { statSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Why a file is not read; null when nothing speaks against it, or when reading it will say what does. Nobody may ever write to a pipe that has a name, a device may never end, and waiting for either cannot be ended. What a
 * shell has opened already (`<(command)`, `/dev/stdin`) has a writer: a pipe or a terminal.
 */
export const unreadableKind = (file: string): 'a pipe' | 'a device' | null => {
  const kind = fileKind(file);
  const descriptor = descriptorOf(file);
  if (kind === 'a pipe') return descriptor === null ? kind : null;
  if (kind === 'a device') return descriptor === null || !isatty(descriptor) ? kind : null;
  return null;
};

/** What stands under a name, through links; null where nothing does, or nobody may look. */
export const fileKind = (file: string): 'a file' | 'a folder' | 'a pipe' | 'a device' | 'a socket' | null => {
  try {
    const found = statSync(file);
    if (found.isFile()) return 'a file';
    if (found.isDirectory()) return 'a folder';
    if (found.isFIFO()) return 'a pipe';
    return found.isSocket() ? 'a socket' : 'a device';
  } catch {
    return null;
  }
};

/** The number of an open file that goes by a name. */
const descriptorOf = (file: string): number | null => {
  if (file === '/dev/stdin') return 0;
  const [, number] = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(file) ?? [];
  return number === undefined ? null : Number(number);
};
