import type { EventOf, RecordedFeatures } from '../../events/index.ts';
import type { Filing } from '../reward/reward.ts';
import { everyRequest } from './evidence.ts';
import { cellsOf } from './features/cells.ts';

/** The kinds of request that a request belongs to, from coarse to fine. */
export const cellsFor = (features: RecordedFeatures): readonly string[] => (features.version === 2 ? cellsOf(features) : [everyRequest]);

/** Where the evidence of a decision is filed once it has come. */
export const filingOf = ({ time, data }: EventOf<'route.decided'>): Filing => ({
  policy: data.policy,
  decidedAt: data.decidedAt ?? time,
  cells: [...cellsFor(data.features)],
});
