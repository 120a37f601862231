import { SingleBar } from 'cli-progress';

/** A bar on stderr while something long runs. Nothing where stderr is no terminal, and nothing for what is done in a moment. */
export type Progress = { readonly update: (done: number, total?: number) => void; readonly stop: () => void };

const momentMs = 500;

export const openProgress = (what: string, total: number): Progress => {
  const bar = new SingleBar({
    format: `${what} {bar} {value}/{total}`,
    barsize: 24,
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    clearOnComplete: true,
    stream: process.stderr,
  });
  const startedAtMs = performance.now();
  let isShown = false;
  return {
    update: (done, newTotal = total) => {
      if (!process.stderr.isTTY) return;
      if (!isShown && performance.now() - startedAtMs > momentMs) {
        isShown = true;
        bar.start(newTotal, done);
      } else if (isShown) {
        bar.setTotal(newTotal);
        bar.update(done);
      }
    },
    stop: () => {
      if (isShown) bar.stop();
    },
  };
};
