/**
 * How the past is cut into blocks: an exponential histogram on an absolute grid. Time is counted in ticks of 16 s; near the latest moment a block is one tick, farther back 2, 4, 8
 * ... ticks: a block of span s is used where it lies at least 16 s's back from the tick that the partition was last drawn for, so that a block is never wider than a sixteenth of its age, and a year takes
 * some 300 blocks (288 to 305, by where the grid lies).
 *
 * 1. The partition depends only on the latest tick (on the last multiple of 8 of them, when it is redrawn), not on the order in which evidence came.
 * 2. With a later latest tick blocks only merge: each block of the finer partition lies within one of the coarser.
 *
 * Source of the idea: Datar, Gionis, Indyk, Motwani, "Maintaining stream statistics over sliding windows" (2002).
 */
export const tickMs = 16_000;
const spansBack = 16;
const largestLevel = 30;
/** The partition is drawn anew every so many ticks: sums over blocks that are settled need not be taken again at each tick. */
const redrawTicks = 8;

/** The tick that the partition is drawn for. */
export const partitionTick = (latestTick: number): number => latestTick - (latestTick % redrawTicks);

export const tickOf = (atMs: number): number => Math.max(0, Math.floor(atMs / tickMs));

/** A shift: a power takes longer than all else here. */
const spanOf = (level: number): number => 1 << level;

const levelOf = (tick: number, latestTick: number): number => {
  const drawnFor = partitionTick(latestTick);
  // A block ends within a span of the tick: for spans up to a 17th of the age the condition holds for certain. Then one or two steps find the level.
  let level = Math.min(largestLevel, 31 - Math.clz32(Math.max(1, (drawnFor - tick) / (spansBack + 1))));
  while (level < largestLevel) {
    const span = spanOf(level + 1);
    if (drawnFor - (Math.floor(tick / span) + 1) * span < spansBack * span) break;
    level++;
  }
  return level;
};

/** First tick of the block that holds this tick. */
export const blockStart = (tick: number, latestTick: number): number => {
  const span = blockSpan(tick, latestTick);
  return Math.floor(tick / span) * span;
};

/** Ticks of that block. */
export const blockSpan = (tick: number, latestTick: number): number => spanOf(levelOf(tick, latestTick));

/** First ticks of all blocks, from the beginning of time to the latest tick; some hundreds. */
export const blockStarts = (latestTick: number): readonly number[] => {
  const starts: number[] = [];
  for (let start = 0; start <= latestTick; start += blockSpan(start, latestTick)) starts.push(start);
  return starts;
};
