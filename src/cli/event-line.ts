import type { LogEntry } from '../bus/event-log.ts';
import type { SwitchyardEvent } from '../events/index.ts';
import { bytes, micro, milliseconds, nanoUsd } from './numbers.ts';
import { excerpt, type Terminal } from './terminal.ts';

/** One line an event: when, where in the log, whose, what, and the few facts that somebody who watches wants to see. */
export const eventLine = (terminal: Terminal, place: string, event: SwitchyardEvent): string =>
  [
    terminal.style('dim', event.time),
    terminal.style('dim', place.padStart(9)),
    event.tenant,
    terminal.style(colours[event.type], event.type.padEnd(18)),
    event.correlationid,
    factsOf(event),
  ].join('  ');

/** What the log holds and nobody can read. It is shown, never skipped in silence. */
export const poisonLine = (entry: Extract<LogEntry, { kind: 'poison' }>): string =>
  `#${entry.sequence} cannot be read (${entry.reason}): ${excerpt(entry.detail, 160)}; ${entry.body.length} bytes on ${excerpt(entry.subject, 80)}`;

const colours = {
  'route.decided': 'cyan',
  'policy.activated': 'magenta',
  'cache.hit': 'green',
  'cache.stored': 'green',
  'response.completed': 'blue',
  'response.failed': 'red',
  'reward.recorded': 'yellow',
  'feedback.received': 'yellow',
} as const satisfies Record<SwitchyardEvent['type'], string>;

const factsOf = (event: SwitchyardEvent): string => {
  switch (event.type) {
    case 'cache.hit':
      return `${event.data.lookup}, ${milliseconds(event.data.ageMs)} old, arm ${event.data.arm}, saved ${nanoUsd(event.data.savedCostNanoUsd)}`;
    case 'cache.stored':
      return `${bytes(event.data.bytes)} for ${milliseconds(event.data.ttlMs)}, arm ${event.data.arm}`;
    case 'route.decided':
      return `arm ${event.data.arm} with p ${event.data.propensity.toFixed(3)} of ${event.data.candidates.length}, state ${event.data.stateSequence}, cache ${event.data.cache}`;
    case 'policy.activated':
      return `${event.data.policy.id} ${event.data.policy.version}, ${event.data.arms.length} arms, floor ${event.data.floor}`;
    case 'response.completed':
      return `${event.data.origin}, ${event.data.promptTokens} + ${event.data.completionTokens} tokens, ${nanoUsd(event.data.costNanoUsd)}, ${milliseconds(event.data.latencyMs)}${event.data.simulated ? ', simulated' : ''}`;
    case 'response.failed':
      return `${event.data.code}: ${excerpt(event.data.detail, 100)}, arm ${event.data.arm ?? 'none'}`;
    case 'reward.recorded':
      return `arm ${event.data.arm} ${micro(event.data.rewardMicro)} by ${event.data.cause}${event.data.revision === 0 ? '' : `, revision ${event.data.revision}`}`;
    case 'feedback.received':
      return `${event.data.kind} ${micro(event.data.scoreMicro)}`;
  }
};
