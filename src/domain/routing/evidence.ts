import { addToSeries, emptySeries, type Series } from './series.ts';
import type { Sums } from './sums.ts';
import { tickOf } from './time-blocks.ts';

/** The cell of all requests. */
export const everyRequest = 'all';

export type ArmSeries = {
  readonly cells: Map<string, Series>;
  /** Grows with every change of any cell. */
  version: number;
  /** Grows with evidence for a tick that was over already. */
  lateVersion: number;
};

/**
 * What is known of the arms: whole numbers, summed, by arm, cell (a kind of request, from coarse to fine, see features) and block of time. A sum of whole numbers does not
 * depend on the order of its terms and the blocks depend only on the latest moment seen, so the live fold, a fold of the log in any order and a sum in SQL are equal
 * to the last digit (up to 9e9 rewards, 2^53 millionths). Decay is applied when evidence is read.
 */
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
  const made = emptySeries();
  arm.cells.set(cell, made);
  return made;
};
