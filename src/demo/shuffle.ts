/** A copy in an order that follows from the seed alone (Fisher-Yates; uniform numbers from mulberry32). */
export const shuffled = <T>(items: readonly T[], seed: number): readonly T[] => {
  const copy = [...items];
  const uniform = uniformNumbers(seed);
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    const [a, b] = [copy[i], copy[j]];
    if (a !== undefined && b !== undefined) {
      copy[i] = b;
      copy[j] = a;
    }
  }
  return copy;
};

/** Uniform numbers in [0, 1) from a seed: enough for an order of prompts, not for statistics. */
export const uniformNumbers = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
