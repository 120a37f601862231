import type { Candidate, Weighing } from './candidate.ts';
import { nothingWeighed } from './candidate.ts';
import type { CandidateDecision } from './candidate-replay.ts';
import type { LoggedDecision } from './logged-decision.ts';
import type { Method } from './report.ts';

/** How a policy that learns is evaluated. */
export type LearningMethod = Exclude<Method['name'], 'fixed'>;

const reasons: Readonly<Record<LearningMethod, string>> = {
  'doubly-robust-replay':
    'the policy learns: it decides each request again with what had been learned from every logged reward until then, whoever chose, and each record is weighed by that; all records count, and what it would have learned by its own choices alone is not part of it',
  'rejection-replay':
    'the policy learns: it sees only the records that its own draw agrees with, accepted so that they are as if it had decided itself; what it is worth while it learns is their plain mean, from far fewer records',
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
