import { recompute, type Difference } from '../../domain/routing/recompute.ts';
import { stateOf } from '../../domain/routing/snapshot.ts';
import type { BriefMessage } from './brief.ts';
import type { Base } from './material.ts';
import type { Message } from './messages.ts';
import { because, becauseOf, knownFeaturesVersions, reasons, type Because, type Reason } from './reasons.ts';
import { walkDecisions, type Met, type PlacedDecision } from './walk.ts';

/**
 * Decides a past period again: each logged decision on the state that it names, with the draw and the request that it names, by the code of today. What comes out differently is told with its reason.
 */
export type DecidedAgain = DecisionPlace &
  (
    | { readonly kind: 'equal' }
    | ({ readonly kind: 'different'; readonly differences: readonly Difference[] } & Because)
    /** Neither equal nor different: it could not be made again. */
    | ({ readonly kind: 'unchecked' } & Because)
  );

/** Null for what cannot be read of a message that is no event. */
export type DecisionPlace = {
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly id: string | null;
  readonly tenant: string | null;
  readonly requestId: string | null;
  readonly stateSequence: number | null;
};

export type PeriodOptions<Read extends BriefMessage = Message> = {
  /** From the one after `base` on, up to `to`. */
  readonly messages: AsyncIterable<Read>;
  readonly base: Base;
  /** Sequences, both included: decisions that stand there are looked at. */
  readonly from: number;
  readonly to: number;
  /** Null: all. */
  readonly tenant: string | null;
  readonly lagMessages?: number | undefined;
};

/** In the order of the log. */
export async function* decideAgain(options: PeriodOptions): AsyncGenerator<DecidedAgain, void, undefined> {
  const { messages, base, from, to, tenant, lagMessages } = options;
  const isWanted = (sequence: number, of: string | null) => sequence >= from && sequence <= to && (tenant === null || of === tenant);
  const met = walkDecisions({
    messages,
    state: stateOf(base.snapshot),
    missing: base.missing,
    wants: ({ sequence, event }) => isWanted(sequence, event.tenant),
    judge: (decision, state, health): Judged => {
      const again = recompute(decision.event.data, decision.event.tenant, state);
      if (again.kind === 'same') return { kind: 'equal' };
      const { differences } = again;
      return { kind: 'different', differences, ...becauseOf(decision, differences, state, health) };
    },
    ...(lagMessages === undefined ? {} : { lagMessages }),
  });
  for await (const one of met)
    if (one.kind !== 'unreadable') yield { ...placeOf(one.decision), ...verdictOf(one) };
    else if (one.unreadable.type === 'route.decided' && isWanted(one.sequence, one.unreadable.tenant)) yield unreadable(one);
}

type Judged = { readonly kind: 'equal' } | ({ readonly kind: 'different'; readonly differences: readonly Difference[] } & Because);

const placeOf = ({ sequence, storedAtMs, event }: PlacedDecision): DecisionPlace => ({
  sequence,
  storedAtMs,
  id: event.id,
  tenant: event.tenant,
  requestId: event.correlationid,
  stateSequence: event.data.stateSequence,
});

const verdictOf = (one: Exclude<Met<Judged>, { kind: 'unreadable' }>): Judged | ({ readonly kind: 'unchecked' } & Because) => {
  switch (one.kind) {
    case 'judged':
      return one.verdict;
    case 'ahead':
      return {
        kind: 'unchecked',
        ...because(
          'tampered',
          `it names the state at ${one.decision.event.data.stateSequence}, which was not there when it stood at ${one.decision.sequence}`,
        ),
      };
    case 'out-of-reach':
      return {
        kind: 'unchecked',
        ...because(
          'out-of-reach',
          `it names the state at ${one.decision.event.data.stateSequence}, ${one.decision.sequence - one.decision.event.data.stateSequence} messages before itself: further back than states are kept here`,
        ),
      };
  }
};

const unreadable = ({ sequence, storedAtMs, unreadable: what }: Extract<Met<Judged>, { kind: 'unreadable' }>): DecidedAgain => {
  const { featuresVersion, tenant, detail } = what;
  return {
    sequence,
    storedAtMs,
    id: null,
    tenant,
    requestId: null,
    stateSequence: null,
    kind: 'unchecked',
    ...(featuresVersion !== null && !knownFeaturesVersions.has(featuresVersion)
      ? because('feature-version', `its features are of version ${featuresVersion}, which this code does not know`)
      : because('unreadable', `it cannot be understood: ${detail.slice(0, 300)}`)),
  };
};

/** What came of a period, counted, and the first that did not come out the same. */
export type ReplayTally = {
  readonly decisions: number;
  readonly equal: number;
  readonly different: number;
  readonly unchecked: number;
  readonly byReason: Readonly<Record<Reason, number>>;
  readonly examples: readonly Exclude<DecidedAgain, { kind: 'equal' }>[];
};

export const replayTally = (mostExamples: number): { readonly add: (one: DecidedAgain) => void; readonly tally: () => ReplayTally } => {
  const counts = { decisions: 0, equal: 0, different: 0, unchecked: 0 };
  const byReason = Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<Reason, number>;
  const examples: Exclude<DecidedAgain, { kind: 'equal' }>[] = [];
  return {
    add: (one) => {
      counts.decisions++;
      counts[one.kind]++;
      if (one.kind === 'equal') return;
      byReason[one.reason]++;
      if (examples.length < mostExamples) examples.push(one);
    },
    tally: () => ({ ...counts, byReason, examples }),
  };
};
