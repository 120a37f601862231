import { execFileSync, spawn } from 'node:child_process';

/** A file that never ends: a pipe into which a line without end is written until its reader goes. */
export const endlessLine = (file: string, head = ''): { readonly stop: () => Promise<void> } => {
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', file]);
  const writer = spawn('sh', ['-c', `{ printf '%s' "$2"; tr '\\0' x < /dev/zero; } > "$1"`, 'sh', file, head], {
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise<void>((resolve) =>
    writer.once('close', () => {
      resolve();
    }),
  );
  return {
    stop: async () => {
      if (writer.pid !== undefined && writer.exitCode === null && writer.signalCode === null) process.kill(-writer.pid, 'SIGKILL');
      await ended;
    },
  };
};
