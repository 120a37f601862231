/**
 * Which group a cluster of records is summed in. While the clusters fit, each is a group of its own; when one more comes than there are groups, all of them, those that were there and those that come,
 * share a quarter of the groups (the power of two up to it) by hash. So memory is bounded whatever the log holds, and what was summed is moved, not lost. A quarter, since a spread between 4,096 groups is known to 1.1 % (1 / sqrt(2 x 4,096)),
 * far better than 1,000 resamples tell it, and is resampled in a quarter of the time.
 */
export type Groups = {
  /** Writes the groups of the first `size` clusters to `into`. Returns null, or for each group so far the one that it is part of from now on: whoever keeps sums adds them up there before these. */
  readonly place: (clusters: Uint32Array, size: number, into: Uint16Array) => Uint16Array | null;
  readonly count: () => number;
  /** Whether clusters share groups. */
  readonly isShared: () => boolean;
};

/** `most` from 4 to 65,536. */
export const openGroups = (most: number): Groups => {
  // A power of two: the remainder is then the low bits, where a division would take as long as all else here.
  const shared = 2 ** Math.floor(Math.log2(most / 4));
  const low = shared - 1;
  const own = new Map<number, number>();
  let isHashed = false;

  const placeOwn = (clusters: Uint32Array, size: number, into: Uint16Array): boolean => {
    for (let i = 0; i < size; i++) {
      const cluster = clusters[i] ?? 0;
      let group = own.get(cluster);
      if (group === undefined) {
        if (own.size === most) return false;
        group = own.size;
        own.set(cluster, group);
      }
      into[i] = group;
    }
    return true;
  };
  return {
    place: (clusters, size, into) => {
      if (!isHashed && placeOwn(clusters, size, into)) return null;
      for (let i = 0; i < size; i++) into[i] = mixed(clusters[i] ?? 0) & low;
      if (isHashed) return null;
      isHashed = true;
      // A map gives its keys in the order in which they came: that of the groups.
      const moved = Uint16Array.from(own.keys(), (cluster) => mixed(cluster) & low);
      own.clear();
      return moved;
    },
    count: () => (isHashed ? shared : own.size),
    isShared: () => isHashed,
  };
};

/** Adds up the sums where their groups have gone. */
export const moveSums = (sums: Float64Array, moved: Uint16Array): void => {
  const before = sums.slice();
  sums.fill(0);
  moved.forEach((group, i) => {
    sums[group] = (sums[group] ?? 0) + (before[i] ?? 0);
  });
};

/** Numbers of clusters may be consecutive: the finaliser of MurmurHash3 (Appleby 2011) spreads them. */
const mixed = (cluster: number): number => {
  let h = cluster;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
};
