import type { Candidate, Weighing } from './candidate.ts';
import { nothingWeighed } from './candidate.ts';
import type { CandidateDecision } from '../again/candidate-replay.ts';
import type { LoggedDecision } from '../logged/logged-decision.ts';
import type { Method } from './report.ts';

/** How a policy that learns is evaluated. */
export type LearningMethod = Exclude<Method['name'], 'fixed'>;

const reasons: Readonly<Record<LearningMethod, string>> = {
  'doubly-robust-replay':
    'the policy learns: it decides each request with the evidence of every logged reward until then, whoever chose the arm, and all records count by their weights; had it decided alone it would have had other evidence, so this is what it is worth beside the yard, not from a start of its own (--learning rejection-replay)',
  'rejection-replay':
    'the policy learns: it sees only the records that its own draw agrees with, accepted so that they are as if it had decided itself; the figure is their plain mean: what it is worth during so many requests of its own, not after more',
};

/**
 * A policy that decides again as it learns (`candidateReplay`), its decisions put to the logged ones by their ids. Both come in the order of the log; `replayed` may have more, those of which nothing came. A decision that is not
 * among them is one that the policy could not make.
 */
export const learningCandidate = (given: {
  readonly identity: Pick<Candidate, 'name' | 'file' | 'kind' | 'fingerprint'>;
  readonly method: LearningMethod;
  readonly replayed: AsyncIterable<CandidateDecision>;
}): Candidate => {
  const { identity, method, replayed } = given;
  const decisions = replayed[Symbol.asyncIterator]();
  const ahead = new Map<string, Weighing>();
  let isOver = false;

  const pull = async (): Promise<boolean> => {
    const next = isOver ? { done: true as const } : await decisions.next();
    if (next.done === true) {
      isOver = true;
      return false;
    }
    const { tenant, requestId, arms, propensities, learns } = next.value;
    ahead.set(`${tenant}/${requestId}`, {
      arms,
      probabilities: propensities,
      ...(method === 'rejection-replay' ? { accepted: learns } : {}),
    });
    return true;
  };
  const weighingOf = async (id: string): Promise<Weighing> => {
    while (!ahead.has(id) && ahead.size < mostAhead && (await pull()));
    const found = ahead.get(id);
    if (found === undefined) return method === 'rejection-replay' ? { ...nothingWeighed, accepted: false } : nothingWeighed;
    // What was passed over nobody will ask for: records come in the same order.
    for (const known of ahead.keys()) {
      ahead.delete(known);
      if (known === id) break;
    }
    return found;
  };
  return {
    ...identity,
    method: { name: method, why: reasons[method] },
    warnings: [],
    weigh: async (records: readonly LoggedDecision[]) => {
      const weighings: Weighing[] = [];
      for (const { id } of records) weighings.push(await weighingOf(id));
      return weighings;
    },
  };
};

/** A decision that is not among so many that follow is not there. */
const mostAhead = 10_000;
