import path from 'node:path';
import { loadPolicyFile } from '../config/policy-file.ts';
import { named, type PolicyContent } from '../domain/routing/policy-version.ts';
import { emptySnapshot } from '../domain/routing/snapshot.ts';
import { distributionCandidate, frozenCandidate, type Candidate } from '../replay/evaluation/candidate.ts';
import type { Warning } from '../replay/evaluation/report.ts';
import { counted, grouped, listed } from '../replay/evaluation/sentences.ts';
import { armsOf, distributionOf, slotsOf } from '../replay/interchange/action-distribution.ts';
import { readActionDistribution } from '../replay/interchange/read-action-distribution.ts';
import type { EvaluateOptions } from './evaluate.ts';
import { usageError } from './exit-codes.ts';
import type { Survey } from './file-survey.ts';
import { requireReadable } from './require-file.ts';
import { nameInWords } from './terminal.ts';

/** What a policy of a file chooses by. `isSurelyAll`: whether there were no arms but these. */
type Offered = Pick<PolicyContent, 'weights' | 'arms'> & { readonly isSurelyAll: boolean };

/** The policy of `source`: a file, or `uniform`. `note`: of what it says that no record needs. */
export const candidateOf = async (
  source: string,
  { campaign, reward, price = {} }: EvaluateOptions,
  offered: Offered,
  { kind, firstAtMs, slots }: Survey,
  note: (text: string) => void,
): Promise<Candidate> => {
  const file = source === 'uniform' ? null : source;
  if (kind === 'slot') {
    if (file !== null) requireReadable(file);
    const spec = await readActionDistribution(source, campaign);
    const known = armsOf(spec);
    const arms = offered.arms.map(({ arm }) => arm);
    if (known !== null && !known.some((arm) => arms.includes(arm)))
      throw usageError(
        `${source}: expected arms of the records, such as ${arms.slice(0, 5).map(nameInWords).join(', ')}; got ${known.slice(0, 5).map(nameInWords).join(', ')}`,
      );
    requireSlots(source, slotsOf(spec), slots, note);
    const name = file === null ? source : path.basename(file).replace(/\.[^.]+$/, '');
    const warnings = known === null ? assumedArms(offered) : strangeArms(arms, known);
    return distributionCandidate({ name, file, probabilities: distributionOf(spec), arms: known ?? arms, warnings });
  }
  const names = offered.arms.map(({ arm }) => arm);
  // Names of arms may be those of what every object has.
  const priced = offered.arms.map((arm) => (Object.hasOwn(price, arm.arm) ? { ...arm, price: price[arm.arm] ?? null } : arm));
  const content = named({ spec: loadPolicyFile(source, names), weights: offered.weights, arms: priced });
  return frozenCandidate({ content, file: source, snapshot: emptySnapshot, atMs: firstAtMs, weights: reward ?? null, isOfFile: true });
};

/** `has`: positions that a table has probabilities for; null: for any. */
const requireSlots = (source: string, has: number | null, seen: ReadonlySet<number>, note: (text: string) => void): void => {
  if (has === null) return;
  const beyond = [...seen].find((slot) => slot >= has);
  if (beyond !== undefined)
    throw usageError(
      `${source}: expected probabilities for each position of the records; it has positions 1 to ${has}, a record has ${beyond + 1}`,
    );
  const unused = Array.from({ length: has }, (_, slot) => slot).filter((slot) => !seen.has(slot));
  if (unused.length > 0)
    note(`${source}: what it says of position ${listed(unused.map((slot) => slot + 1))} is not used, as no record has it`);
};

const assumedArms = ({ arms, isSurelyAll }: Offered): readonly Warning[] =>
  isSurelyAll
    ? []
    : [
        {
          code: 'arms_assumed',
          what: `it is taken to choose among the ${counted(arms.length, 'arm')} that the records name`,
          consequence: 'were there others, it is another policy: import --item-context, or a table of probabilities, tells them',
        },
      ];

/** Arms of the log that a distribution does not have: it may be that of another log. */
const strangeArms = (arms: readonly string[], known: readonly string[]): readonly Warning[] => {
  const all = new Set(known);
  const strange = arms.filter((arm) => !all.has(arm));
  if (strange.length === 0) return [];
  return [
    {
      code: 'arms_unknown',
      what: `${grouped(strange.length)} of the ${counted(arms.length, 'arm')} of the log ${strange.length === 1 ? 'is' : 'are'} not among its own: ${listed(strange.map(nameInWords))}`,
      consequence: 'it never chooses them: is it of this log, or of another campaign or set of items?',
    },
  ];
};
