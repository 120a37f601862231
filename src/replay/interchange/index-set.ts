/**
 * Whole numbers that were seen, for finding the one that comes twice. Numbers that lie close together, as the rows of a file do, take a bit each; what it may take in all is bounded.
 */
export type IndexSet = {
  /** `full`: the numbers lie too far apart to be held; nothing was added. */
  readonly add: (index: number) => 'added' | 'duplicate' | 'full';
};

/** 4,096 numbers to a page of 512 bytes. */
const pageBits = 4_096;

export const createIndexSet = (mostPages = 262_144): IndexSet => {
  const pages = new Map<number, Uint32Array>();
  return {
    add: (index) => {
      const number = Math.floor(index / pageBits);
      let page = pages.get(number);
      if (page === undefined) {
        if (pages.size === mostPages) return 'full';
        page = new Uint32Array(pageBits / 32);
        pages.set(number, page);
      }
      const bit = index % pageBits;
      const word = page[bit >>> 5] ?? 0;
      const mask = 1 << (bit & 31);
      if ((word & mask) !== 0) return 'duplicate';
      page[bit >>> 5] = word | mask;
      return 'added';
    },
  };
};
