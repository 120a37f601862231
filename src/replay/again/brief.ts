import type { LoggedRequest } from '../../domain/routing/recompute.ts';
import type { FoldedEvent, FoldedReward } from '../../domain/routing/state.ts';
import type { DataOf, EventOf } from '../../events/index.ts';
import type { Message } from './messages.ts';

/**
 * As much of an event as another policy looks at that decides on a past period. What was believed of the arms back then, for instance, is none of it: most of what a decision holds. A whole event is a brief one,
 * too, so that the log itself serves as well.
 *
 * `time` is asked for where there is no `decidedAt`, and only there.
 */
export type BriefEvent = Exclude<FoldedEvent, { type: 'route.decided' | 'reward.recorded' }> | BriefDecision | BriefReward;

export type BriefDecision = Pick<EventOf<'route.decided'>, 'type' | 'id' | 'tenant' | 'correlationid' | 'time'> & {
  readonly data: LoggedRequest &
    Pick<DataOf<'route.decided'>, 'arm' | 'propensity' | 'stateSequence'> & {
      readonly policy: Pick<DataOf<'route.decided'>['policy'], 'id' | 'version'>;
      readonly candidates: readonly Pick<DataOf<'route.decided'>['candidates'][number], 'arm' | 'propensity'>[];
    };
};

export type BriefReward = FoldedReward & Pick<EventOf<'reward.recorded'>, 'correlationid'>;

export type BriefMessage = Message<BriefEvent>;
