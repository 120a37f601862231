import type { Machine } from './machine.ts';
import type { Mark } from './marks.ts';

/** What a benchmark found out: figures in tables, marks, and what it did not measure. Plain data: printed as tables or as JSON. */
export type BenchReport = {
  readonly benchmark: string;
  readonly startedAt: string;
  readonly elapsedSeconds: number;
  readonly machine: Machine;
  /** What was set: sizes, rounds, seeds. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly tables: readonly FigureTable[];
  readonly marks: readonly Mark[];
  readonly notMeasured: readonly string[];
};

export type FigureTable = {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
};

export type Benchmark = {
  readonly summary: string;
  readonly run: (context: BenchContext) => Promise<Findings>;
};

export type Findings = Pick<BenchReport, 'settings' | 'tables' | 'marks' | 'notMeasured'>;

export type BenchContext = {
  /** One line of progress for people. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
  /** 1 for the real thing; smaller ones shrink counts and times in proportion, for trying a benchmark out. */
  readonly scale: number;
  /** Folder with recorded data; null when none was named. */
  readonly data: string | null;
  /** Whether peers are measured too: they have to be installed first. */
  readonly peers: boolean;
};
