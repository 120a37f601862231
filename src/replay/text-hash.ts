/**
 * 32 bits of a text: FNV-1a (Fowler, Noll and Vo), finished as MurmurHash3 is (Appleby 2011), as its high bits are no better than the low ones by themselves. Not for secrets; a native hash takes ten times as long to call as
 * this takes for an id.
 */
export const textHash = (text: string, seed = 0x811c9dc5): number => {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};
