import type { PolicyState } from '../actors/policy-change.ts';
import { askRemote } from '../actors/remote.ts';
import type { RouterReply } from '../actors/router.ts';
import type { Messenger } from '../bus/messenger.ts';

/** A person would rather wait for a busy router than ask again. */
export const routerPatience = { timeoutMs: 10_000 };

/** The policies of the running yard, as one of its routers has folded them from the log. Throws a TransientError when none answers. */
export const askForPolicy = async (messenger: Messenger): Promise<PolicyState> => {
  const reply = (await askRemote(messenger, 'router', { type: 'policy' }, routerPatience)) as RouterReply;
  if (reply.kind !== 'policy') throw new TypeError(`router: expected its policy, got ${reply.kind}`);
  return reply;
};
