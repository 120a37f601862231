import type { LoggedDecision } from '../logged/logged-decision.ts';

/**
 * Which arms a log drew, in which slot: all that is known of what it could have drawn in records that name the chosen arm alone. A candidate's choice that never came is one that the log says nothing of, whether the logger could not
 * have made it or had no luck.
 */
export type Drawn = {
  readonly add: (decision: LoggedDecision) => void;
  readonly has: (decision: LoggedDecision, arm: string) => boolean;
};

export const openDrawn = (): Drawn => {
  const bySlot = new Map<number, Set<string>>();
  return {
    add: ({ arm, context }) => {
      const slot = slotOf(context);
      const drawn = bySlot.get(slot);
      if (drawn === undefined) bySlot.set(slot, new Set([arm]));
      else drawn.add(arm);
    },
    has: ({ context }, arm) => bySlot.get(slotOf(context))?.has(arm) ?? false,
  };
};

/** Requests have no slots: all of them are in one. */
const slotOf = (context: LoggedDecision['context']): number => (context.kind === 'slot' ? context.slot : 0);
