/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within the list of corners, and this runs for every record */
/**
 * The largest x + s y of all points (x, y), for an s > 0 that is known only when they have all come. Those that can win are the corners of the upper right hull, few of however many points.
 * A term of a normalised estimator is such a sum, with s = 1 / mean weight.
 */
export type Furthest = {
  readonly add: (x: number, y: number) => void;
  /** Of at least one point. */
  readonly at: (s: number) => number;
};

type Point = { readonly x: number; readonly y: number };

/** With more corners than this, the largest x with the largest y stands for all of them: never below the truth. A million points at random have tens. */
const mostCorners = 512;

export const openFurthest = (): Furthest => {
  /** From the highest to the one furthest right. */
  const corners: Point[] = [];
  let isCoarse = false;
  return {
    add: (x, y) => {
      const at = placeOutside(corners, x, y);
      if (at === null) return;
      if (!isCoarse) insert(corners, at, { x, y });
      isCoarse ||= corners.length > mostCorners;
      if (isCoarse) corners.splice(0, corners.length, { x: Math.max(corners.at(-1)!.x, x), y: Math.max(corners[0]!.y, y) });
    },
    at: (s) => corners.reduce((most, { x, y }) => Math.max(most, x + s * y), -Infinity),
  };
};

/** Before which corner a point belongs that the hull does not cover; null for the many that it does. */
const placeOutside = (corners: readonly Point[], x: number, y: number): number | null => {
  let at = 0;
  while (at < corners.length && corners[at]!.x < x) at++;
  const right = corners[at];
  if (right === undefined) return at;
  if (right.y >= y) return null;
  return at === 0 || area(corners[at - 1]!, right, x, y) > 0 ? at : null;
};

/** The neighbours that the new corner overtops, or leaves in a dent, go. */
const insert = (corners: Point[], at: number, point: Point): void => {
  let from = at;
  while (from > 0 && (corners[from - 1]!.y <= point.y || (from > 1 && isDent(corners[from - 2]!, corners[from - 1]!, point)))) from--;
  let to = at;
  while (to < corners.length && (corners[to]!.x <= point.x || (to + 1 < corners.length && isDent(point, corners[to]!, corners[to + 1]!))))
    to++;
  corners.splice(from, to - from, point);
};

const isDent = (left: Point, middle: Point, right: Point): boolean => area(left, right, middle.x, middle.y) <= 0;

/** Twice the area of the triangle, above 0 for a point above the line from left to right. */
const area = (left: Point, right: Point, x: number, y: number): number =>
  (right.x - left.x) * (y - left.y) - (right.y - left.y) * (x - left.x);
