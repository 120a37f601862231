import type { LoggedDecision } from '../logged/logged-decision.ts';
import { textHash } from '../text-hash.ts';

/**
 * Leaves out second records of one decision. Ids are remembered as hashes, the latest two to four million of them in 64 MB; a record that comes again later than that is not noticed. Of a million records one is taken for a
 * second one by mistake with a probability below one in ten thousand.
 */
export type Unduplicated = { readonly isNew: (decision: LoggedDecision) => boolean; readonly duplicates: () => number };

const slots = 2 ** 22;
const mostIds = slots / 2;

export const openUnduplicated = (): Unduplicated => {
  let young = openHashes();
  let old = openHashes();
  let duplicates = 0;
  return {
    isNew: ({ id }) => {
      const hash = hashOf(id);
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
const hashOf = (id: string): number => 1 + textHash(id) + (textHash(id, otherSeed) >>> 12) * 2 ** 32;
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
