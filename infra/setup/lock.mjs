import { linkSync, readFileSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './commands.mjs';

const beatMs = 2_000;
const staleMs = 30_000;
const patienceMs = 30 * 60_000;

/**
 * Holds a lock file while `work` runs.
 *
 * 1. The file appears by `link`, whole or not at all: it is never seen empty.
 * 2. Its holder touches it every two seconds. One whose process is gone, or that nobody has touched for half a minute (another container's, a process id
 *    that was used again), is dead.
 * 3. A dead lock is removed by one process at a time: the one that could link the name made of the lock's own content.
 */
export const withLock = async (file, say, work) => {
  const mine = `${process.pid}-${Date.now()}`;
  const draft = `${file}.${mine}`;
  writeFileSync(draft, mine);
  try {
    await take(file, draft, say);
  } finally {
    unlinkSync(draft);
  }
  const beat = setInterval(() => utimesSync(file, new Date(), new Date()), beatMs);
  const leave = () => unlinkSync(file);
  const interrupted = (signal) => {
    leave();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await work();
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    clearInterval(beat);
    leave();
  }
};

const take = async (file, draft, say) => {
  const startedAtMs = Date.now();
  for (let attempt = 0; !tryLink(draft, file); attempt++) {
    if (attempt === 0) say('another set-up is under way, waiting for it');
    if (Date.now() - startedAtMs > patienceMs)
      throw new SetupError(`another set-up has held ${file} for half an hour; remove that file if there is none`);
    if (!removeDead(file, draft)) await sleep(200);
  }
};

const removeDead = (file, draft) => {
  const holder = content(file);
  if (holder === null) return true;
  const touchedAtMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  if (isAlive(Number(holder.split('-')[0])) && Date.now() - touchedAtMs < staleMs) return false;
  const claim = `${file}.dead.${holder}`;
  if (!tryLink(draft, claim)) return false;
  try {
    // Only who holds the claim may remove this lock, so what is read here is still there when it is removed.
    if (content(file) === holder) unlinkSync(file);
  } finally {
    unlinkSync(claim);
  }
  return true;
};

const content = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
};

const tryLink = (from, to) => {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
};

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};
