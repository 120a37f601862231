import { statSync } from 'node:fs';
import { fileKind, unreadableKind } from '../file-kind.ts';
import { usageError } from './exit-codes.ts';

/** A pipe that has a name is not waited for, and a device not read. */
export const requireReadable = (file: string): void => {
  const kind = unreadableKind(file);
  if (kind !== null) throw usageError(`${file}: expected a file, got ${kind}`);
};

/** A file that is read twice. */
export const requireFile = (file: string): void => {
  const kind = fileKind(file);
  if (kind !== null && kind !== 'a file') throw usageError(`${file}: expected a file, which is read twice, got ${kind}`);
};

/** What is read is not replaced by what is made of it. `option`: the one that names `made`. */
export const refuseInput = (option: string, made: string | undefined, inputs: readonly (string | undefined)[]): void => {
  const identity = made === undefined ? null : identityOf(made);
  if (identity === null) return;
  const same = inputs.find((input) => input !== undefined && identityOf(input) === identity);
  if (same !== undefined) throw usageError(`${option}: expected another file than ${same}, which is read; got ${made ?? ''}`);
};

/** The same for all names and links of a file. */
const identityOf = (file: string): string | null => {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
};
