/** First in, first out, in constant time. (A Map as a queue is slow to find its first key once many before it were deleted.) */
export type Ring<T> = {
  readonly size: () => number;
  readonly first: () => T | undefined;
  readonly push: (value: T) => void;
  readonly shift: () => T | undefined;
};

export const createRing = <T>(): Ring<T> => {
  let slots = new Array<T | undefined>(16);
  let first = 0;
  let size = 0;
  return {
    size: () => size,
    first: () => (size === 0 ? undefined : slots[first]),
    push: (value) => {
      if (size === slots.length) {
        slots = [...slots.slice(first), ...slots.slice(0, first), ...new Array<undefined>(size)];
        first = 0;
      }
      slots[(first + size++) % slots.length] = value;
    },
    shift: () => {
      if (size === 0) return undefined;
      const value = slots[first];
      slots[first] = undefined;
      first = (first + 1) % slots.length;
      size--;
      return value;
    },
  };
};
