import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './run-file.ts';

/**
 * Ends a process that an earlier, killed run left behind, if the number still belongs to it: its command line must name the given file. Returns whether there
 * was one. Process ids are used again by the system, so the id alone proves nothing.
 */
const patienceMs = 10_000;
const lookEveryMs = 50;

export const endLeftBehind = async (pid: number, file: string): Promise<boolean> => {
  if (!isAlive(pid) || !commandLineOf(pid).includes(file)) return false;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    process.kill(pid, signal);
    const untilMs = Date.now() + patienceMs;
    while (Date.now() < untilMs) {
      if (!isAlive(pid)) return true;
      await sleep(lookEveryMs);
    }
  }
  return true;
};

/** Empty when it cannot be read. */
const commandLineOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // No /proc: macOS.
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  }
};
