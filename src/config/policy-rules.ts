import type { PolicySpec } from '../events/index.ts';
import { endingsPerKind, requestKinds } from '../events/schemas/features.ts';
import { nearest } from './nearest.ts';
import type { ConfigPath } from './schema-view.ts';

/** What is wrong with a policy in a yard with these arms. `expected` begins with that word. */
export type PolicyProblem = { readonly path: ConfigPath; readonly expected: string; readonly seen: unknown };

/** What no schema of a policy can say, since it depends on the yard. The same for the configuration and for policy files. */
export const policyProblems = (spec: PolicySpec, arms: readonly string[]): readonly PolicyProblem[] => [
  ...leastShares(spec, arms),
  ...namedArms(spec).flatMap(({ arm, path }) => (arms.includes(arm) ? [] : [unknownArm(arm, path, arms)])),
  ...sharesSum(spec),
  ...unknownCells(spec),
  ...repeatedCells(spec),
];

const leastShares = ({ floor, trial }: PolicySpec, { length }: readonly string[]): readonly PolicyProblem[] => {
  const problem = (path: ConfigPath, share: number): readonly PolicyProblem[] =>
    share * length < 1
      ? []
      : [{ path, expected: `expected less than 1 / ${length}, one share for each of the ${length} arms`, seen: share }];
  return [...problem(['floor'], floor), ...problem(['trial', 'share'], trial.share)];
};

const namedArms = (spec: PolicySpec): readonly { readonly arm: string; readonly path: ConfigPath }[] => {
  switch (spec.kind) {
    case 'static':
      return Object.keys(spec.shares).map((arm) => ({ arm, path: ['shares', arm] }));
    case 'complexity':
      return [
        { arm: spec.simple, path: ['simple'] },
        { arm: spec.complex, path: ['complex'] },
      ];
    case 'beta-bernoulli-thompson':
    case 'contextual-thompson':
      return (spec.warmStart?.cells ?? []).map(({ arm }, index) => ({ arm, path: ['warmStart', 'cells', index, 'arm'] }));
    case 'epsilon-greedy':
      return [];
  }
};

const unknownArm = (arm: string, path: ConfigPath, arms: readonly string[]): PolicyProblem => {
  const meant = nearest(arm, arms);
  return {
    path,
    expected:
      meant === null ? `expected one of the arms ${arms.slice(0, 20).join(', ')}` : `expected an arm of the yard; did you mean ${meant}?`,
    seen: arm,
  };
};

/** A third cannot be written down: within a millionth the policy takes the shares in proportion. */
const sharesSum = (spec: PolicySpec): readonly PolicyProblem[] => {
  if (spec.kind !== 'static') return [];
  const sum = Object.values(spec.shares).reduce((total, share) => total + share, 0);
  return Math.abs(sum - 1) <= 1e-6
    ? []
    : [{ path: ['shares'], expected: 'expected shares that sum to 1, to the millionth', seen: Number(sum.toPrecision(12)) }];
};

/** Not in the schema: events of the log were valid under the cells of their time, and stay so. */
const unknownCells = (spec: PolicySpec): readonly PolicyProblem[] => {
  if (!('warmStart' in spec) || spec.warmStart === undefined) return [];
  return spec.warmStart.cells.flatMap(({ cell }, index) =>
    isCell(cell) ? [] : [{ path: ['warmStart', 'cells', index, 'cell'], expected: expectedCell(cell), seen: cell }],
  );
};

/** all, kind:<kind> or ending:<kind>:<number>, as the features make them (src/domain/routing/features/cells.ts). */
const isCell = (cell: string): boolean => {
  const [level, kind = '', ending] = cell.split(':');
  if (level === 'all') return cell === 'all';
  if (!isKind(kind)) return false;
  if (level === 'kind') return cell === `kind:${kind}`;
  const number = Number(ending);
  return Number.isInteger(number) && number >= 0 && number < endingsPerKind && cell === `ending:${kind}:${number}`;
};

const isKind = (kind: string): boolean => requestKinds.some((known) => known === kind);

const expectedCell = (cell: string): string => {
  const [level, kind = ''] = cell.split(':');
  const form = `expected all, kind:<kind> or ending:<kind>:<0 to ${endingsPerKind - 1}>`;
  if ((level !== 'kind' && level !== 'ending') || isKind(kind)) return form;
  const meant = nearest(kind, requestKinds);
  return meant === null ? `${form}, where <kind> is one of ${requestKinds.join(', ')}` : `${form}; did you mean ${level}:${meant}?`;
};

const repeatedCells = (spec: PolicySpec): readonly PolicyProblem[] => {
  if (!('warmStart' in spec) || spec.warmStart === undefined) return [];
  const seen = new Set<string>();
  return spec.warmStart.cells.flatMap(({ arm, cell }, index) => {
    const key = `${arm} ${cell}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [{ path: ['warmStart', 'cells', index], expected: 'expected each arm once in each cell', seen: key }];
  });
};
