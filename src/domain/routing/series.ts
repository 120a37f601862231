import { addInto, fieldCount, noSums, type Sums } from './sums.ts';
import { blockSpan, blockStart, partitionTick } from './time-blocks.ts';

/**
 * The evidence of one arm in one cell, in blocks of time. Blocks lie one after the other in memory: a decision reads many of them that it has not seen for a while, and each jump would cost more than
 * the sums.
 */
export type Series = {
  /** First tick and number of ticks of each block, by time, without gaps being stored; always in the partition drawn for `partitionedAt`. */
  readonly starts: number[];
  readonly spans: number[];
  /** Sums of block b from `b * fieldCount` on; room for more behind the last. */
  sums: Float64Array;
  partitionedAt: number;
  /** Grows with every change; `closedVersion` only with a change before the last block, not when a block is added behind it. */
  version: number;
  closedVersion: number;
  readonly total: Sums;
  /** Sums as they were read last, see memory.ts. */
  readonly memo: Map<number | null, ReadMemo>;
};

export type ReadMemo = {
  closedVersion: number;
  version: number;
  tick: number;
  since: number;
  /** Sums of the first `closedBlocks` blocks. */
  readonly closed: Sums;
  closedBlocks: number;
  readonly sums: Sums;
};

const firstBlocks = 2;

export const emptySeries = (): Series => ({
  starts: [],
  spans: [],
  sums: new Float64Array(firstBlocks * fieldCount),
  partitionedAt: 0,
  version: 0,
  closedVersion: 0,
  total: noSums(),
  memo: new Map(),
});

/** Adds to the block that holds the tick. */
export const addToSeries = (series: Series, tick: number, latestTick: number, delta: Sums): void => {
  partition(series, latestTick);
  series.version++;
  addInto(series.total, delta);
  const start = blockStart(tick, latestTick);
  const { starts } = series;
  // Nearly always the last one, or one after it.
  let block = starts.length - 1;
  while (block >= 0 && (starts[block] ?? 0) > start) block--;
  if (block < starts.length - 1) series.closedVersion++;
  if (starts[block] !== start) insertBlock(series, ++block, start, blockSpan(tick, latestTick));
  addInto(series.sums, delta, block * fieldCount);
};

const insertBlock = (series: Series, block: number, start: number, span: number): void => {
  const { starts, spans } = series;
  const used = starts.length * fieldCount;
  if (used === series.sums.length) {
    const grown = new Float64Array(2 * used);
    grown.set(series.sums);
    series.sums = grown;
  }
  const at = block * fieldCount;
  series.sums.copyWithin(at + fieldCount, at, used);
  series.sums.fill(0, at, at + fieldCount);
  starts.splice(block, 0, start);
  spans.splice(block, 0, span);
};

/** Merges blocks that have become one with age. */
export const partition = (series: Series, latestTick: number): void => {
  const drawnFor = partitionTick(latestTick);
  if (series.partitionedAt === drawnFor) return;
  series.partitionedAt = drawnFor;
  const { starts, spans, sums } = series;
  let kept = 0;
  let changed = false;
  for (let block = 0; block < starts.length; block++) {
    let start = starts[block] ?? 0;
    const span = blockSpan(start, latestTick);
    if (span !== spans[block]) {
      changed = true;
      start -= start % span;
    }
    const from = block * fieldCount;
    if (kept > 0 && starts[kept - 1] === start) {
      const into = (kept - 1) * fieldCount;
      for (let i = 0; i < fieldCount; i++) sums[into + i] = (sums[into + i] ?? 0) + (sums[from + i] ?? 0);
    } else {
      starts[kept] = start;
      spans[kept] = span;
      if (kept < block) for (let i = 0; i < fieldCount; i++) sums[kept * fieldCount + i] = sums[from + i] ?? 0;
      kept++;
    }
  }
  starts.length = kept;
  spans.length = kept;
  if (changed) series.closedVersion++;
};

/** Sums of a block, as a view: they change with the series. */
export const sumsOfBlock = (series: Series, block: number): Sums => series.sums.subarray(block * fieldCount, (block + 1) * fieldCount);
