import { textHash } from './text-hash.ts';

/**
 * Which texts (ids of decisions, rows of a file) come a second time. They are remembered as hashes, the latest two to four million of them in 64 MB; one that comes again later than that is not noticed. Of a million one is taken for a
 * second one by mistake with a probability below one in ten thousand.
 */
export type Unduplicated = { readonly isNew: (text: string) => boolean; readonly duplicates: () => number };

const slots = 2 ** 22;
const mostIds = slots / 2;

export const openUnduplicated = (): Unduplicated => {
  let young = openHashes();
  let old = openHashes();
  let duplicates = 0;
  return {
    isNew: (text) => {
      const hash = hashOf(text);
      if (old.has(hash) || !young.add(hash)) {
        duplicates++;
        return false;
      }
      if (young.size() >= mostIds) [young, old] = [openHashes(), young];
      return true;
    },
    duplicates: () => duplicates,
  };
};

/** 53 bits, never 0. */
const hashOf = (text: string): number => 1 + textHash(text) + (textHash(text, otherSeed) >>> 12) * 2 ** 32;
const otherSeed = 0x2f0b4c47;

/** Open addressing; grows from small, so that few ids take little. */
const openHashes = () => {
  let table = new Float64Array(1_024);
  let size = 0;
  const place = (hash: number): number => {
    // The length is a power of two: its remainder is the low bits.
    const low = table.length - 1;
    for (let slot = hash & low; ; slot = (slot + 1) & low) {
      const found = table[slot];
      if (found === 0 || found === hash) return slot;
    }
  };
  const grow = (): void => {
    const before = table;
    table = new Float64Array(2 * before.length);
    for (const hash of before) if (hash !== 0) table[place(hash)] = hash;
  };
  return {
    has: (hash: number): boolean => table[place(hash)] === hash,
    /** Whether it was new. */
    add: (hash: number): boolean => {
      const slot = place(hash);
      if (table[slot] === hash) return false;
      table[slot] = hash;
      size++;
      if (2 * size > table.length && table.length < slots) grow();
      return true;
    },
    size: (): number => size,
  };
};
