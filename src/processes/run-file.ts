import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

/**
 * `<dataDir>/run.json`: where the running yard can be reached, for the command line and for the next start. Written by `up` when everything
 * is ready, removed when it stops; after a `kill -9` it is left behind and names processes that may be dead.
 */
const runSchema = z.object({
  pid: z.int().positive(),
  startedAt: z.iso.datetime(),
  natsUrl: z.string(),
  /** Null when the server is not ours. */
  natsPid: z.int().positive().nullable(),
  httpUrl: z.string().nullable(),
  sqlUrl: z.string().nullable(),
});
export type Run = z.infer<typeof runSchema>;

const fileOf = (dataDir: string) => path.join(dataDir, 'run.json');

export const readRun = (dataDir: string): Run | null => {
  let text: string;
  try {
    text = readFileSync(fileOf(dataDir), 'utf8');
  } catch {
    return null;
  }
  try {
    return runSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
};

export const writeRun = (dataDir: string, run: Run): void => {
  mkdirSync(dataDir, { recursive: true });
  const draft = `${fileOf(dataDir)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(run, null, 2)}\n`);
  renameSync(draft, fileOf(dataDir));
};

export const removeRun = (dataDir: string): void => {
  rmSync(fileOf(dataDir), { force: true });
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
