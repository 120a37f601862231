/** A bar that a figure has to pass. A value of null was not measured: it is told, and neither passes nor falls short. */
export type Mark = {
  readonly name: string;
  readonly value: number | null;
  readonly comparison: Comparison;
  readonly threshold: number;
  readonly unit: string;
};

type Comparison = '<' | '<=' | '=' | '>=' | '>';

export type Verdict = 'passes' | 'falls short' | 'not measured';

export const verdictOf = ({ value, comparison, threshold }: Mark): Verdict => {
  if (value === null) return 'not measured';
  return holds(value, comparison, threshold) ? 'passes' : 'falls short';
};

// A figure that is not a number passes nothing: each comparison with NaN is false.
const holds = (value: number, comparison: Comparison, threshold: number): boolean => {
  switch (comparison) {
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '=':
      return value === threshold;
    case '>=':
      return value >= threshold;
    case '>':
      return value > threshold;
  }
};

/** The marks that a check fails for. */
export const shortfallsOf = (marks: readonly Mark[]): readonly Mark[] => marks.filter((mark) => verdictOf(mark) === 'falls short');

export const describeMark = (mark: Mark): string =>
  `${mark.name}: ${mark.value === null ? 'not measured' : `${mark.value}${mark.unit}`}, expected ${mark.comparison} ${mark.threshold}${mark.unit}`;
