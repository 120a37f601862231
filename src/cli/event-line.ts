import type { LogEntry } from '../bus/event-log.ts';
import type { DataOf, SwitchyardEvent } from '../events/index.ts';
import { bytes, micro, milliseconds, nanoUsd, percent } from './numbers.ts';
import { excerpt, type Terminal } from './terminal.ts';

/** One line an event: when, where in the log, whose, what, and the few facts that somebody who watches wants to see. */
export const eventLine = (terminal: Terminal, place: string, event: SwitchyardEvent): string =>
  [
    terminal.style('dim', event.time),
    terminal.style('dim', place.padStart(9)),
    event.tenant,
    terminal.style(colours[event.type], event.type.padEnd(21)),
    event.correlationid,
    factsOf(event),
  ].join('  ');

/** What the log holds and nobody can read. It is shown, never skipped in silence. */
export const poisonLine = (entry: Extract<LogEntry, { kind: 'poison' }>): string =>
  `#${entry.sequence} cannot be read (${entry.reason}): ${excerpt(entry.detail, 160)}; ${entry.body.length} bytes on ${excerpt(entry.subject, 80)}`;

const colours = {
  'route.decided': 'cyan',
  'policy.activated': 'magenta',
  'policy.canary_started': 'magenta',
  'policy.canary_ended': 'magenta',
  'budget.paced': 'dim',
  'cache.hit': 'green',
  'cache.stored': 'green',
  'response.completed': 'blue',
  'response.failed': 'red',
  'reward.recorded': 'yellow',
  'feedback.received': 'yellow',
  'feedback.rejected': 'red',
  'shadow.completed': 'dim',
  'shadow.granted': 'dim',
  'shadow.skipped': 'dim',
} as const satisfies Record<SwitchyardEvent['type'], string>;

const factsOf = (event: SwitchyardEvent): string => {
  switch (event.type) {
    case 'cache.hit':
      return `${event.data.lookup}, ${milliseconds(event.data.ageMs)} old, arm ${event.data.arm}, saved ${nanoUsd(event.data.savedCostNanoUsd)}`;
    case 'cache.stored':
      return `${bytes(event.data.bytes)} for ${milliseconds(event.data.ttlMs)}, arm ${event.data.arm}`;
    case 'route.decided':
      return `arm ${event.data.arm} with p ${event.data.propensity.toFixed(3)} of ${event.data.candidates.length}${event.data.policy.canary ? ' by the canary' : ''}, state ${event.data.stateSequence}, cache ${event.data.cache}`;
    case 'policy.activated':
      return `change ${event.data.change}: ${policyFacts(event.data)}, by ${event.data.origin}`;
    case 'policy.canary_started':
      return `change ${event.data.change}: ${policyFacts(event.data)}, for ${percent(event.data.share)} of the requests`;
    case 'policy.canary_ended':
      return `change ${event.data.change}: ${event.data.policy.id} ${event.data.policy.version} ${event.data.outcome}: ${excerpt(event.data.reason, 160)}`;
    case 'budget.paced':
      return `step ${event.data.step}: a dollar must bring ${event.data.rewardPerUsd.toPrecision(3)} of reward, a second ${event.data.rewardPerSecond.toPrecision(3)}`;
    case 'response.completed':
      return `${event.data.origin}, ${event.data.promptTokens} + ${event.data.completionTokens} tokens, ${nanoUsd(event.data.costNanoUsd)}, ${milliseconds(event.data.latencyMs)}${event.data.simulated ? ', simulated' : ''}`;
    case 'response.failed':
      return `${event.data.code}: ${excerpt(event.data.detail, 100)}, arm ${event.data.arm ?? 'none'}`;
    case 'reward.recorded':
      return `arm ${event.data.arm} ${micro(event.data.rewardMicro)} by ${event.data.cause}${event.data.revision === 0 ? '' : `, revision ${event.data.revision}`}`;
    case 'feedback.received':
      return `${event.data.kind} ${micro(event.data.scoreMicro)}`;
    case 'feedback.rejected':
      return `${event.data.feedbackId}: ${event.data.reason}`;
    case 'shadow.completed': {
      const { delivered, shadow, similarity } = event.data;
      return `arm ${shadow.arm} beside ${delivered.arm}: ${shadow.outcome}, ${nanoUsd(shadow.costNanoUsd)}, ${milliseconds(shadow.latencyMs)}${similarity === null ? '' : `, similarity ${similarity.toFixed(2)}`}${shadow.simulated ? ', simulated' : ''}`;
    }
    case 'shadow.granted':
      return `${nanoUsd(event.data.blockNanoUsd)}, block ${event.data.block + 1} of ${event.data.blocks} from ${event.data.windowStart}`;
    case 'shadow.skipped': {
      const { from: _from, to: _to, host: _host, ...reasons } = event.data;
      return Object.entries(reasons)
        .filter(([, count]) => count > 0)
        .map(([reason, count]) => `${reason} ${count}`)
        .join(', ');
    }
  }
};

const policyFacts = ({ policy, spec, arms }: Pick<DataOf<'policy.activated'>, 'policy' | 'spec' | 'arms'>): string =>
  `${policy.id} ${policy.version}, ${spec.kind}, ${arms.length} arms, floor ${spec.floor}`;
