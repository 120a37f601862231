import { decodeEvent, type Checks, type SwitchyardEvent } from '../../events/index.ts';
import type { Json, JsonObject } from '../../json.ts';
import { poisonType } from '../../projections/table.ts';
import { featuresVersionOf, namedBy, type Unreadable } from './messages.ts';

/** An event that the engine wrote as JSON (src/projections/events-of-rows.ts), raised to its present version. */
export const eventOf = (event: JsonObject, checks: Checks): SwitchyardEvent | Unreadable => {
  if (event['type'] === poisonType) return poisoned(event);
  const decoded = decodeEvent(event, checks);
  return decoded.kind === 'events' ? decoded.events[0] : { ...about(event), reason: decoded.reason, detail: decoded.detail };
};

const about = (event: JsonObject): Pick<Unreadable, 'type' | 'tenant' | 'featuresVersion'> => ({
  type: textOf(event['type']),
  tenant: textOf(event['tenant']),
  featuresVersion: featuresVersionOf(event),
});

const textOf = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);

/** The projector keeps of poison where it came from and what was wrong with it. */
const poisoned = ({ data = {} }: JsonObject): Unreadable => {
  const { subject = '', reason = '', detail = '' } = data as Partial<Record<'subject' | 'reason' | 'detail', string>>;
  return { ...namedBy(subject), featuresVersion: null, reason, detail };
};
