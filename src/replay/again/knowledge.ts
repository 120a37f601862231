import { emptySnapshot, stateOf, type StateSnapshot } from '../../domain/routing/snapshot.ts';
import { foldEvent, type RouterState } from '../../domain/routing/state.ts';
import type { BriefDecision, BriefMessage, BriefReward } from './brief.ts';

/**
 * What a candidate knows of the arms, where that is not what the yard knew. It learns from rewards of decisions that it may learn from, when the log holds them, so that late feedback comes late to it too.
 * A reward of a decision from before the period counts where the candidate begins with what the yard knew then: it is part of the same evidence.
 *
 * Policy, prices and what tenants did spend stay those of the log: what another policy would have spent is not known.
 */
export type Knowledge = {
  /** The yard's state with what the candidate knows in place of its evidence. */
  readonly over: (logged: RouterState) => RouterState;
  readonly mayLearnFrom: (decision: BriefDecision, may: boolean) => void;
  /** Right before the yard folds it. */
  readonly fold: (message: BriefMessage) => void;
  /** Revisions of rewards whose decision was forgotten: they count for nobody. */
  readonly unassigned: () => number;
};

/** Decisions that are remembered, for rewards to come. Their first rewards come at once; late feedback finds the latest half million. */
const mostRemembered = 500_000;

export const createKnowledge = (begin: {
  /** Null: it begins with none. */
  readonly snapshot: StateSnapshot | null;
  /** Sequence of the period's begin: what was decided before is not the candidate's. */
  readonly from: number;
  /** Whether it learns from decisions that it was not asked about: those of other tenants. */
  readonly fromOthers: boolean;
  readonly remembered?: number;
}): Knowledge => {
  const { snapshot, from, fromOthers, remembered = mostRemembered } = begin;
  const own = stateOf({
    ...emptySnapshot,
    ...(snapshot === null ? {} : { latestTick: snapshot.latestTick, blocks: snapshot.blocks, chosen: snapshot.chosen }),
  });
  const decided = new Map<string, boolean>();
  let forgotten = 0;
  let unassigned = 0;

  const remember = (key: string, may: boolean) => {
    if (decided.size >= remembered && !decided.has(key)) {
      const [oldest] = decided.keys();
      if (oldest !== undefined) decided.delete(oldest);
      forgotten++;
    }
    decided.set(key, may);
  };

  const counts = (event: BriefReward): boolean => {
    const may = decided.get(keyOf(event));
    if (may !== undefined) return may;
    if (forgotten > 0 && event.data.revision > 0) {
      unassigned++;
      return false;
    }
    return snapshot !== null;
  };

  return {
    over: (logged) => ({ ...logged, evidence: own.evidence, chosen: own.chosen }),
    mayLearnFrom: (decision, may) => {
      remember(keyOf(decision), may);
    },
    fold: ({ sequence, storedAtMs, events }) => {
      for (const event of events)
        if (event.type === 'reward.recorded') {
          if (counts(event)) foldEvent(own, event, storedAtMs);
        } else if (event.type === 'route.decided') {
          const key = keyOf(event);
          if (sequence >= from && !decided.has(key)) remember(key, fromOthers);
          if (decided.get(key) ?? snapshot !== null) foldEvent(own, event, storedAtMs);
        }
    },
    unassigned: () => unassigned,
  };
};

const keyOf = ({ tenant, correlationid }: Pick<BriefDecision, 'tenant' | 'correlationid'>): string => `${tenant}:${correlationid}`;
