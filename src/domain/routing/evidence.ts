import type { DataOf } from '../../events/index.ts';
import { blockStart, blockSpan, partitionTick, tickOf } from './time-blocks.ts';

/**
 * What is known of the arms: whole numbers, summed, by arm, cell (a kind of request, from coarse to fine, see features) and block of time. A sum of whole numbers does not
 * depend on the order of its terms and the blocks depend only on the latest moment seen, so the live fold, a fold of the log in any order and a sum in SQL are equal
 * to the last digit (up to 9e9 rewards, 2^53 millionths). Decay is applied when evidence is read.
 */
export type RewardEvidence = DataOf<'reward.recorded'>['evidence'];

/** In this order in sums. Parts and their squares in millionths, money in 1e-9 dollars, its square in (1e-5 dollars)^2, rounded up. */
export const evidenceFields = [
  'trials',
  'measured',
  'failures',
  'success',
  'streaming',
  'cache',
  'cost',
  'successSquare',
  'streamingSquare',
  'cacheSquare',
  'costSquare',
  'costNanoUsd',
  'spendSquare',
  'latencyMs',
  'promptTokens',
  'completionTokens',
] as const satisfies readonly (keyof RewardEvidence)[];
export type EvidenceField = (typeof evidenceFields)[number];

/** One number for each of `evidenceFields`. */
export type Sums = Float64Array;
export const fieldIndex = Object.fromEntries(evidenceFields.map((field, index) => [field, index])) as Readonly<
  Record<EvidenceField, number>
>;
const width = evidenceFields.length;
export const noSums = (): Sums => new Float64Array(width);

export const sumsOf = (evidence: RewardEvidence): Sums => Float64Array.from(evidenceFields, (field) => evidence[field]);

/** The cell of all requests. */
export const everyRequest = 'all';

export type Block = { readonly start: number; readonly span: number; readonly sums: Sums };

/** The evidence of one arm in one cell. */
export type Series = {
  /** By time, without gaps being stored; always in the partition drawn for `partitionedAt`. */
  blocks: Block[];
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

export type ArmSeries = {
  readonly cells: Map<string, Series>;
  /** Grows with every change of any cell. */
  version: number;
  /** Grows with evidence for a tick that was over already. */
  lateVersion: number;
};

export type Evidence = {
  /** Tick of the latest evidence, in whichever order it came: the partition of time depends on nothing else. */
  latestTick: number;
  readonly arms: Map<string, ArmSeries>;
};

export const emptyEvidence = (): Evidence => ({ latestTick: 0, arms: new Map() });

/** Adds to the evidence of an arm, in each of the cells, at a moment. Changes `evidence`. */
export const addEvidence = (evidence: Evidence, arm: string, cells: readonly string[], atMs: number, delta: Sums): void => {
  const tick = tickOf(atMs);
  if (tick > evidence.latestTick) evidence.latestTick = tick;
  const series = armSeries(evidence, arm);
  series.version++;
  if (tick < evidence.latestTick) series.lateVersion++;
  for (const cell of cells) addToSeries(cellSeries(series, cell), tick, evidence.latestTick, delta);
};

/** Adds sums of a block that was summed elsewhere, in ClickHouse. The block must be one of the partition at `evidence.latestTick`, or lie within one. */
export const addBlock = (evidence: Evidence, arm: string, cell: string, startTick: number, delta: Sums): void => {
  const series = armSeries(evidence, arm);
  series.version++;
  series.lateVersion++;
  addToSeries(cellSeries(series, cell), startTick, evidence.latestTick, delta);
};

const armSeries = (evidence: Evidence, arm: string): ArmSeries => {
  const known = evidence.arms.get(arm);
  if (known !== undefined) return known;
  const made: ArmSeries = { cells: new Map(), version: 0, lateVersion: 0 };
  evidence.arms.set(arm, made);
  return made;
};

const cellSeries = (arm: ArmSeries, cell: string): Series => {
  const known = arm.cells.get(cell);
  if (known !== undefined) return known;
  const made: Series = { blocks: [], partitionedAt: 0, version: 0, closedVersion: 0, total: noSums(), memo: new Map() };
  arm.cells.set(cell, made);
  return made;
};

const addToSeries = (series: Series, tick: number, latestTick: number, delta: Sums): void => {
  partition(series, latestTick);
  series.version++;
  addInto(series.total, delta);
  const start = blockStart(tick, latestTick);
  const { blocks } = series;
  // Nearly always the last one, or one after it.
  let index = blocks.length - 1;
  while (index >= 0 && (blocks[index]?.start ?? 0) > start) index--;
  const found = blocks[index];
  if (index < blocks.length - 1) series.closedVersion++;
  if (found?.start === start) addInto(found.sums, delta);
  else blocks.splice(index + 1, 0, { start, span: blockSpan(tick, latestTick), sums: delta.slice() });
};

/** Merges blocks that have become one with age. */
export const partition = (series: Series, latestTick: number): void => {
  const drawnFor = partitionTick(latestTick);
  if (series.partitionedAt === drawnFor) return;
  series.partitionedAt = drawnFor;
  const { blocks } = series;
  let kept = 0;
  let changed = false;
  for (const block of blocks) {
    const span = blockSpan(block.start, latestTick);
    const start = Math.floor(block.start / span) * span;
    const last = blocks[kept - 1];
    changed ||= span !== block.span;
    if (kept > 0 && last?.start === start) addInto(last.sums, block.sums);
    else blocks[kept++] = span === block.span ? block : { start, span, sums: block.sums };
  }
  blocks.length = kept;
  if (changed) series.closedVersion++;
};

export const addInto = (sums: Sums, delta: Sums): void => {
  for (let i = 0; i < width; i++) sums[i] = (sums[i] ?? 0) + (delta[i] ?? 0);
};
