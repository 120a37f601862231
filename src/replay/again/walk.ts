import { createRing } from '../../domain/routing/ring.ts';
import { evolveRouter, type RouterState } from '../../domain/routing/state.ts';
import type { SwitchyardEvent } from '../../events/index.ts';
import type { BriefEvent } from './brief.ts';
import { sharedWeights } from './shared-weights.ts';
import type { Message, Unreadable } from './messages.ts';

/**
 * Meets every logged decision with the state that it was made from.
 *
 * A decision names a state a little behind its own place, because several processes decide while others append. So the log is read once, the fold follows some messages behind, and a decision waits until
 * the fold stands at exactly the sequence that it names. It is handed out when the fold has come to its own place: in the order of the log.
 *
 * 1. In memory are fewer than `lagMessages` messages. A decision whose state lies further back than that, or before `state`, is handed out as `out-of-reach`.
 * 2. A message that is handed in twice counts once. One that is missing has no effect on the fold and is told in `health`.
 */
export type Walk<Verdict, Event extends BriefEvent = SwitchyardEvent> = {
  /** In the order of the log, from the one after `state.sequence` on. */
  readonly messages: AsyncIterable<Message<Event>>;
  /** Folded on in place. `missing`: messages before it that it lacks. */
  readonly state: RouterState;
  readonly missing?: number;
  readonly wants: (decision: PlacedDecision<Event>) => boolean;
  /** Asked when the state is the one that the decision names; it must not keep the state. */
  readonly judge: (decision: PlacedDecision<Event>, state: RouterState, health: Health) => Verdict;
  /** Told of each message right before it is folded. */
  readonly onFold?: (message: Message<Event>) => void;
  /** How far a state may lie behind its decision; at least 1. */
  readonly lagMessages?: number;
};

export type PlacedDecision<Event extends BriefEvent = SwitchyardEvent> = {
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly event: DecisionOf<Event>;
};

type DecisionOf<Event> = Extract<Event, { type: 'route.decided' }>;

/** What the fold lacked up to the state that was judged; of each the first, and how many there were. */
export type Health = {
  readonly missing: { readonly first: number; readonly count: number } | null;
  readonly unreadable: { readonly first: number; readonly count: number } | null;
  readonly withoutReward: { readonly first: number; readonly count: number } | null;
};

export type Met<Verdict, Event extends BriefEvent = SwitchyardEvent> =
  | { readonly kind: 'judged'; readonly decision: PlacedDecision<Event>; readonly verdict: Verdict }
  | { readonly kind: 'ahead'; readonly decision: PlacedDecision<Event> }
  | { readonly kind: 'out-of-reach'; readonly decision: PlacedDecision<Event> }
  | { readonly kind: 'unreadable'; readonly sequence: number; readonly storedAtMs: number; readonly unreadable: Unreadable };

/** What a decision can lie behind its state: its append is tried for ten seconds (src/actors/decide.ts), in which a busy yard writes two thousand messages a second. */
export const stateLagMessages = 20_000;

export async function* walkDecisions<Verdict, Event extends BriefEvent = SwitchyardEvent>(
  walk: Walk<Verdict, Event>,
): AsyncGenerator<Met<Verdict, Event>, void, undefined> {
  const { messages, state, missing = 0, wants, lagMessages = stateLagMessages } = walk;
  const held = createRing<{ readonly message: Message<Event>; readonly met: readonly Waiting<Verdict, Event>[] }>();
  const waiting = new Map<number, Waiting<Verdict, Event>[]>();
  const withSharedWeights = sharedWeights();
  const health: { -readonly [Key in keyof Health]: Health[Key] } = {
    missing: missing === 0 ? null : { first: 1, count: missing },
    unreadable: null,
    withoutReward: null,
  };
  let newest = state.sequence;

  const judge = (one: Waiting<Verdict, Event>) => {
    one.met = { kind: 'judged', decision: one.decision, verdict: walk.judge(one.decision, state, health) };
  };
  const judgeWaiting = () => {
    const due = waiting.get(state.sequence);
    if (due === undefined) return;
    due.forEach(judge);
    waiting.delete(state.sequence);
  };

  const place = (decision: PlacedDecision<Event>): Waiting<Verdict, Event> => {
    const named: number = decision.event.data.stateSequence;
    const one: Waiting<Verdict, Event> = { decision, met: null };
    if (named >= decision.sequence) one.met = { kind: 'ahead', decision };
    else if (named < state.sequence) one.met = { kind: 'out-of-reach', decision };
    else if (named === state.sequence) judge(one);
    else {
      const others = waiting.get(named);
      if (others === undefined) waiting.set(named, [one]);
      else others.push(one);
    }
    return one;
  };

  const skipTo = (sequence: number) => {
    const first = state.sequence + 1;
    if (sequence < first) return;
    health.missing = { first: health.missing?.first ?? first, count: (health.missing?.count ?? 0) + sequence - first + 1 };
    // A state that ends within the hole is that at its begin.
    for (const named of [...waiting.keys()].filter((key) => key <= sequence).sort((a, b) => a - b)) {
      state.sequence = named;
      judgeWaiting();
    }
    state.sequence = sequence;
  };

  const foldFirst = (): readonly Met<Verdict, Event>[] => {
    const next = held.shift();
    if (next === undefined) return [];
    const { message, met } = next;
    const { sequence, storedAtMs, unreadable } = message;
    skipTo(sequence - 1);
    walk.onFold?.(message);
    evolveRouter(state, message);
    if (unreadable !== null) health.unreadable = counted(health.unreadable, sequence);
    if (message.lacksReward) health.withoutReward = counted(health.withoutReward, sequence);
    judgeWaiting();
    const handedOut = met.flatMap((one) => one.met ?? []);
    return unreadable === null ? handedOut : [...handedOut, { kind: 'unreadable', sequence, storedAtMs, unreadable }];
  };

  for await (const message of messages) {
    const { sequence, storedAtMs, events } = message;
    if (sequence <= newest) continue;
    newest = sequence;
    const decisions = events.filter(isDecision).map((event) => ({ sequence, storedAtMs, event: withSharedWeights(event) }));
    held.push({ message, met: decisions.filter(wants).map(place) });
    while (held.size() >= lagMessages) for (const met of foldFirst()) yield met;
  }
  while (held.size() > 0) for (const met of foldFirst()) yield met;
}

/** `met` is there by the time the fold comes to the decision: the state that it names lies before it. */
type Waiting<Verdict, Event extends BriefEvent> = { readonly decision: PlacedDecision<Event>; met: Met<Verdict, Event> | null };

const counted = (before: { readonly first: number; readonly count: number } | null, sequence: number) => ({
  first: before?.first ?? sequence,
  count: (before?.count ?? 0) + 1,
});

const isDecision = <Event extends BriefEvent>(event: Event): event is DecisionOf<Event> => event.type === 'route.decided';
