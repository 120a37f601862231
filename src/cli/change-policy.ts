import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { withPatience } from '../actors/patience.ts';
import { policyMessage, type PolicyChange, type PolicyMessage, type PolicyState } from '../actors/policy-change.ts';
import type { Bus } from '../bus/bus.ts';
import type { EventLog } from '../bus/event-log.ts';
import { TransientError } from '../errors.ts';
import { askForPolicy } from './ask-router.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

/**
 * Changes the policy of the running yard by an event. What to do is decided on the state of a router and appended under the number of the change: who was overtaken by another change reads the
 * state again and decides anew.
 */
export type Changed = {
  readonly sequence: number;
  /** As the router has it once the change is in its state. */
  readonly state: PolicyState;
};

const attemptsMax = 10;
const pauseMs = 100;
const patienceMs = 10_000;

/** `decide` may throw a CommandError, and may be asked several times. */
export const changePolicy = async ({ log, messenger }: Bus, decide: (state: PolicyState) => PolicyChange): Promise<Changed> => {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const state = await askForPolicy(messenger);
    const about = { source: `switchyard/command-line@${hostname().slice(0, 64)}`, timeMs: Date.now() };
    const sequence = await append(log, policyMessage(state, decide(state), about));
    if (sequence !== null) return { sequence, state: await stateAt(sequence, () => askForPolicy(messenger)) };
    await sleep(pauseMs);
  }
  throw new CommandError(
    exitCodes.failed,
    'the policy was changed by others again and again in the meantime; look at ./switchyard policy show',
  );
};

/** Null when somebody else has made the change of this number. */
const append = async (log: EventLog, { events, idempotencyId }: PolicyMessage): Promise<number | null> => {
  const appended = await withPatience(() => log.append(events, { idempotencyId }), { untilMs: Date.now() + patienceMs });
  if (appended.kind === 'appended') return appended.sequence;
  if (appended.kind === 'conflict') throw new TypeError('an append met a conflict although it expected nothing');
  // One's own, when the acknowledgement of an earlier try got lost.
  const entry = await log.at(appended.sequence);
  return entry?.kind === 'events' && entry.events[0].id === events[0].id ? appended.sequence : null;
};

/** Routers fold the log within moments. */
const stateAt = async (sequence: number, ask: () => Promise<PolicyState>): Promise<PolicyState> => {
  const untilMs = Date.now() + patienceMs;
  for (;;) {
    // The change is made, whoever does not answer: making it again would be another one.
    const state = await ask().catch((error: unknown) => {
      if (error instanceof TransientError) return null;
      throw error;
    });
    if (state !== null && state.stateSequence >= sequence) return state;
    if (Date.now() > untilMs)
      throw new CommandError(
        exitCodes.unreachable,
        `the change is in the log at sequence ${sequence}, and no router has taken it up within ${patienceMs / 1_000} s: see ./switchyard status`,
      );
    await sleep(pauseMs);
  }
};
