import { manyAtATime, type Burst, type Target } from './http-load.ts';
import { scaled, type Targets } from './overhead-targets.ts';
import type { OverheadYard } from './overhead-yard.ts';
import type { BenchContext, FigureTable } from './report.ts';
import { median, quantile, rounded } from './statistics.ts';

/** Many at a time, in paired rounds of alternating order. */
export const roundMs = 4_000;
const levels = [8, 32, 64] as const;
const rounds = 5;

export const connections = Math.max(...levels);
export const roundCount = ({ scale }: BenchContext): number => (scale < 1 ? 2 : rounds);

type Round = { readonly yard: Burst; readonly peer: Burst | null; readonly settleSeconds: number };

export const measureRounds = async (
  targets: Targets,
  yard: OverheadYard,
  prompt: () => string,
  context: BenchContext,
): Promise<{ readonly ratioAt32: number | null; readonly tables: readonly FigureTable[] }> => {
  const { note, signal } = context;
  const durationMs = scaled(roundMs, context);
  const measured = new Map<number, readonly Round[]>();
  for (const level of levels) {
    const done: Round[] = [];
    for (let round = -1; round < roundCount(context); round++) {
      const ask = async (target: Target) => manyAtATime(target, level, durationMs, prompt, signal);
      const askYard = async () => ({ yard: await ask(targets.yard), settleSeconds: await yard.settle() });
      const askPeer = async () => (targets.peer === null ? null : ask(targets.peer));
      // Who went first goes second the next time.
      const peerFirst = round % 2 !== 0 ? await askPeer() : undefined;
      const ours = await askYard();
      const peer = peerFirst === undefined ? await askPeer() : peerFirst;
      note(
        `${level} at a time, ${round < 0 ? 'warm-up' : `round ${round + 1}`}: yard ${Math.round(ours.yard.ratePerSecond)}/s${peer === null ? '' : `, Portkey ${Math.round(peer.ratePerSecond)}/s`}`,
      );
      if (round >= 0) done.push({ ...ours, peer });
    }
    measured.set(level, done);
  }
  return {
    ratioAt32: ratioOf(measured.get(32) ?? []),
    tables: [
      {
        title: 'Many at a time: medians of the rounds, requests a second and ms',
        columns: [
          'at a time',
          'yard /s',
          'yard p50',
          'yard p99',
          'Portkey /s',
          'Portkey p50',
          'Portkey p99',
          'ratio of rates',
          'projector behind after a round, s',
        ],
        rows: [...measured].map(([level, done]) => [
          level,
          ...figuresOf(done.map((round) => round.yard)),
          ...figuresOf(done.flatMap(({ peer }) => (peer === null ? [] : [peer]))),
          ratioOf(done),
          rounded(median(done.map(({ settleSeconds }) => settleSeconds))),
        ]),
      },
    ],
  };
};

const figuresOf = (bursts: readonly Burst[]): readonly (number | null)[] =>
  bursts.length === 0
    ? [null, null, null]
    : [
        Math.round(median(bursts.map((burst) => burst.ratePerSecond))),
        rounded(median(bursts.map((burst) => median(burst.timesMs)))),
        rounded(median(bursts.map((burst) => quantile(burst.timesMs, 0.99)))),
      ];

/** Median over the rounds of yard by peer in the same round; null without a peer. */
const ratioOf = (done: readonly Round[]): number | null => {
  const ratios = done.flatMap(({ yard, peer }) => (peer === null ? [] : [yard.ratePerSecond / peer.ratePerSecond]));
  return ratios.length === 0 ? null : rounded(median(ratios));
};
