import { SingleBar } from 'cli-progress';

/** How far the sending is. A bar on a terminal, a line every few seconds elsewhere; both on stderr. */
export type Progress = {
  readonly sent: (lateMs: number) => void;
  readonly answered: () => void;
  readonly behind: (messages: number) => void;
  readonly stop: () => void;
};

const lineEveryMs = 5_000;
const rateEveryMs = 1_000;
const format = '{bar} {value}/{total} answered, {sent} sent, {rate}/s, {late} late, ClickHouse {behind} messages behind';

export const openProgress = (total: number, timed: boolean): Progress => {
  const bar = new SingleBar({
    format,
    barsize: 24,
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: lineEveryMs,
    stream: process.stderr,
  });
  const shown = { sent: 0, rate: 0, late: timed ? '0 ms' : 'nothing', behind: 0 };
  let answered = 0;
  let before = 0;
  bar.start(total, 0, shown);
  const timer = setInterval(() => {
    shown.rate = Math.round(((answered - before) / rateEveryMs) * 1_000);
    before = answered;
    bar.update(answered, shown);
  }, rateEveryMs);
  return {
    sent: (lateMs) => {
      shown.sent++;
      if (timed) shown.late = `${Math.round(lateMs)} ms`;
    },
    answered: () => {
      answered++;
      bar.update(answered, shown);
    },
    behind: (messages) => {
      shown.behind = messages;
      bar.update(answered, shown);
    },
    stop: () => {
      clearInterval(timer);
      bar.update(answered, shown);
      bar.stop();
    },
  };
};
