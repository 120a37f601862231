import type { EventLog } from '../bus/event-log.ts';
import type { SwitchyardEvent } from '../events/index.ts';
import type { LogCounts } from './parity.ts';

/** Reads the log from end to end and counts what each request has in it. Memory grows with the number of requests: for logs that one made oneself. */
export const countLog = async (log: EventLog): Promise<LogCounts> => {
  const { first, last } = await log.bounds();
  const decided = new Set<string>();
  const ended = new Set<string>();
  const rewarded = new Set<string>();
  const counts = { events: 0, routed: 0, fromCache: 0, completed: 0, failed: 0, rewarded: 0, feedback: 0, revised: 0, twice: 0 };
  const once = (seen: Set<string>, event: SwitchyardEvent) => {
    if (seen.has(event.correlationid)) counts.twice++;
    seen.add(event.correlationid);
  };
  const count = (event: SwitchyardEvent) => {
    counts.events++;
    switch (event.type) {
      case 'route.decided':
        counts.routed++;
        once(decided, event);
        return;
      case 'cache.hit':
        counts.fromCache++;
        once(decided, event);
        return;
      case 'response.completed':
        counts.completed++;
        once(ended, event);
        return;
      case 'response.failed':
        counts.failed++;
        once(ended, event);
        return;
      case 'reward.recorded':
        if (event.data.revision > 0) {
          counts.revised++;
          return;
        }
        counts.rewarded++;
        once(rewarded, event);
        return;
      case 'feedback.received':
        counts.feedback++;
        return;
      case 'feedback.rejected':
      case 'cache.stored':
      case 'policy.activated':
      case 'policy.canary_started':
      case 'policy.canary_ended':
      case 'budget.paced':
      case 'shadow.completed':
      case 'shadow.granted':
      case 'shadow.skipped':
        return;
    }
  };
  if (last >= first)
    for await (const entry of log.read({ from: first, to: last })) if (entry.kind === 'events') entry.events.forEach(count);
  return counts;
};
