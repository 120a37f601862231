import type { DataOf, EventOf, RecordedFeatures, SwitchyardEvent } from '../../events/index.ts';
import type { Filing } from '../reward/reward.ts';
import { everyRequest } from './evidence.ts';
import { cellsOf } from './features/cells.ts';
import { tickOf } from './time-blocks.ts';

/** The kinds of request that a request belongs to, from coarse to fine. */
export const cellsFor = (features: RecordedFeatures): readonly string[] => (features.version === 2 ? cellsOf(features) : [everyRequest]);

/** Where the evidence of a decision is filed once it has come. */
export const filingOf = ({ time, data }: EventOf<'route.decided'>): Filing => ({
  policy: data.policy,
  decidedAt: data.decidedAt ?? time,
  cells: [...cellsFor(data.features)],
});

/**
 * The moment that the evidence of a reward is filed under: that of the decision, but none later than the log stored the reward. Whoever made the event may have a clock that is wrong, or say anything; the
 * partition of time depends on the latest moment, and one far ahead would put all that comes into wide old blocks.
 */
export const filedAtMs = (event: Decided, storedAtMs: number): number => Math.min(decidedAtMs(event), storedAtMs);

/** Whether its evidence is filed under one and the same tick whenever the log stores it from `reachedMs` on. */
export const isFiledWhenever = (event: SwitchyardEvent, reachedMs: number): boolean =>
  event.type !== 'reward.recorded' || event.data.cells.length === 0 || tickOf(decidedAtMs(event)) <= tickOf(reachedMs);

type Decided = Pick<EventOf<'reward.recorded'>, 'time'> & { readonly data: Pick<DataOf<'reward.recorded'>, 'decidedAt'> };

const decidedAtMs = ({ time, data }: Decided): number => Date.parse(data.decidedAt ?? time);
