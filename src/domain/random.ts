import { hash } from 'node:crypto';

/**
 * Random numbers that come again: the same seed gives the same sequence, on every machine and in every version of Node. The generator is sfc32 (Chris
 * Doty-Humphrey, PractRand): 128 bits of state, three of its words and the counter taken from SHA-256 of the seed, so that seeds that differ in one
 * character have nothing in common. Not for secrets.
 */
export const seededRandom = (seed: string | number): (() => number) => {
  const seedBytes = hash('sha256', String(seed), 'buffer');
  let a = seedBytes.readInt32LE(0);
  let b = seedBytes.readInt32LE(4);
  let c = seedBytes.readInt32LE(8);
  let counter = seedBytes.readInt32LE(12);
  const next32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  /** Uniform in [0, 1): the 53 bits that a double can hold, 27 and 26 of two words. */
  return () => ((next32() >>> 5) * 67_108_864 + (next32() >>> 6)) / 9_007_199_254_740_992;
};

/** A standard normal number from two uniform ones (Box and Muller). */
export const normalFrom = (random: () => number): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
