import type { Bus } from '../bus/bus.ts';
import { askRemote } from '../actors/remote.ts';
import type { RouterReply } from '../actors/router.ts';
import { summaryOf } from '../domain/routing/summary.ts';
import type { StateSnapshot } from '../domain/routing/snapshot.ts';
import { TransientError } from '../errors.ts';
import { sequence } from '../events/index.ts';
import { routerPatience } from './ask-router.ts';
import type { Located } from './locate.ts';
import { rebuildState } from './rebuild-state.ts';

/**
 * The state that the next decision will be made from. It is too large for a message, so it is made again at the sequence that a live router is at, and held against the fingerprint of the
 * router's own: equal to the last digit, or a note says that it is not.
 */
export type StateNow = {
  readonly snapshot: StateSnapshot;
  /** live: equal to that of a live router. log: no router answered, or its state is another one. */
  readonly source: 'live' | 'log';
};

export const stateNow = async (
  { log, messenger }: Pick<Bus, 'log' | 'messenger'>,
  options: { readonly located: Located; readonly signal: AbortSignal; readonly note: (text: string) => void },
): Promise<StateNow> => {
  const { note } = options;
  const live = await askForState(messenger, note);
  const bounds = await log.bounds();
  const to = sequence(live?.sequence ?? bounds.last);
  const { snapshot } = await rebuildState({ ...options, log, bounds, to, logAlone: false });
  const isLive = live !== null && summaryOf(snapshot).fingerprint === live.summary.fingerprint;
  if (live !== null && !isLive)
    note(`the state of the live router at ${live.sequence} differs from what the log says: see ./switchyard rebuild`);
  return { snapshot, source: isLive ? 'live' : 'log' };
};

const askForState = async (
  messenger: Bus['messenger'],
  note: (text: string) => void,
): Promise<Extract<RouterReply, { kind: 'state' }> | null> => {
  try {
    const reply = (await askRemote(messenger, 'router', { type: 'state' }, routerPatience)) as RouterReply;
    if (reply.kind !== 'state') throw new TypeError(`router: expected its state, got ${reply.kind}`);
    return reply;
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    note(`no router is live, the state is that of the end of the log: ${error.message}`);
    return null;
  }
};
