/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within columns of one size, and these loops run for every record */
import type { Page, WeighedPage } from './evaluated-page.ts';
import type { Division } from './report.ts';
import { openStretches } from './stretches.ts';

/** How the logger divided the decisions among the arms, over the period, and how each candidate would have. In memory for so many arms, the first that come; the rest are one. */
export type ArmShares = {
  readonly add: (page: Page, weighed: readonly WeighedPage[]) => void;
  readonly finish: () => Division;
};

/** Where parts of the period are none of its time. */
export const withoutParts = (division: Division): Division => ({
  ...division,
  parts: [],
  arms: division.arms.map((arm) => ({ ...arm, overTime: [] })),
});

const mostNamed = 31;
const others = '(others)';

export const openArmShares = (candidateCount: number): ArmShares => {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const listed = new WeakMap<readonly string[], readonly number[]>();
  const drawn = new Float64Array(mostNamed + 1);
  const wanted = Array.from({ length: candidateCount }, () => new Float64Array(mostNamed + 1));
  const stretches = openStretches(mostNamed + 1);
  const isDrawn = new Float64Array(mostNamed + 1).fill(NaN);
  let records = 0;
  let withChoice = 0;
  let untold = 0;

  const numberOf = (arm: string): number => {
    const known = numbers.get(arm);
    if (known !== undefined) return known;
    if (numbers.size >= mostNamed) return mostNamed;
    names.push(arm);
    numbers.set(arm, names.length - 1);
    return names.length - 1;
  };
  const numbersOf = (arms: readonly string[]): readonly number[] => {
    const known = listed.get(arms);
    if (known !== undefined) return known;
    const found = arms.map(numberOf);
    listed.set(arms, found);
    return found;
  };
  return {
    add: ({ decisions }, weighed) => {
      for (const { arm, atMs, candidates, propensity } of decisions) {
        const number = numberOf(arm);
        drawn[number]!++;
        isDrawn[number] = 1;
        stretches.add(atMs, isDrawn);
        isDrawn[number] = NaN;
        records++;
        // What was certain left no choice, named or not.
        if (candidates === null && propensity < 1) untold++;
        else if (candidates !== null && candidates.arms.length > 1) withChoice++;
      }
      for (const [k, { weighings }] of weighed.entries()) {
        const into = wanted[k]!;
        for (const { arms, probabilities } of weighings) {
          const of = numbersOf(arms);
          for (let place = 0; place < of.length; place++) into[of[place]!]! += probabilities[place] ?? 0;
        }
      }
    },
    finish: () => {
      const parts = stretches.finish();
      const isUsed = (number: number): boolean => drawn[number] !== 0 || wanted.some((of) => of[number] !== 0);
      return {
        withChoice,
        untold,
        parts: parts.map(({ firstAtMs, records: inPart }) => ({ firstAt: new Date(firstAtMs).toISOString(), records: inPart })),
        arms: Array.from({ length: mostNamed + 1 }, (_, number) => number)
          .filter(isUsed)
          .map((number) => ({
            arm: names[number] ?? others,
            records: drawn[number] ?? 0,
            share: (drawn[number] ?? 0) / records,
            candidates: wanted.map((of) => (of[number] ?? 0) / records),
            overTime: parts.map((part) => (part.of(number)?.count ?? 0) / part.records),
          }))
          .toSorted((a, b) => b.records - a.records),
      };
    },
  };
};
