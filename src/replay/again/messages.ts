import type { EventLog, LogEntry } from '../../bus/event-log.ts';
import { sequence, type SwitchyardEvent } from '../../events/index.ts';
import { isJsonObject, type Json } from '../../json.ts';

/** One message of the log as the router folds it, from the log itself or from rows. */
export type Message<Event = SwitchyardEvent> = {
  readonly sequence: number;
  readonly storedAtMs: number;
  /** From rows: those alone that change the state of the router. */
  readonly events: readonly Event[];
  /** Whoever folds the log skips it: it has a sequence and no effect. */
  readonly unreadable: Unreadable | null;
  /** An answer of an arm, or its failure, and no reward beside it: one append holds both, so the reward was taken out. */
  readonly lacksReward: boolean;
};

/** What can be told of a message that cannot be understood. Null where it says nothing of it. */
export type Unreadable = {
  readonly type: string | null;
  readonly tenant: string | null;
  /** Version of the features of a decision. */
  readonly featuresVersion: number | null;
  readonly reason: string;
  readonly detail: string;
};

/** Both ends included. */
export type MessageRange = {
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal | undefined;
};

export async function* messagesOfLog(
  log: Pick<EventLog, 'read'>,
  { from, to, signal }: MessageRange,
): AsyncGenerator<Message, void, undefined> {
  if (from > to) return;
  const range = { from: sequence(from), to: sequence(to), ...(signal === undefined ? {} : { signal }) };
  for await (const entry of log.read(range)) yield messageOf(entry);
  signal?.throwIfAborted();
}

const messageOf = (entry: LogEntry): Message => {
  const { sequence: at, storedAtMs } = entry;
  return entry.kind === 'events'
    ? { sequence: at, storedAtMs, events: entry.events, unreadable: null, lacksReward: lacksReward(entry.events) }
    : {
        sequence: at,
        storedAtMs,
        events: [],
        unreadable: {
          ...namedBy(entry.subject),
          featuresVersion: featuresVersionIn(entry.body),
          reason: entry.reason,
          detail: entry.detail,
        },
        lacksReward: false,
      };
};

export const lacksReward = (events: readonly Pick<SwitchyardEvent, 'type' | 'data'>[]): boolean =>
  events.some(isOutcomeOfArm) && !events.some(({ type }) => type === 'reward.recorded');

/** A failure without an arm (nobody could take the request) has no reward. */
const isOutcomeOfArm = ({ type, data }: Pick<SwitchyardEvent, 'type' | 'data'>): boolean =>
  type === 'response.completed' || (type === 'response.failed' && 'arm' in data && data.arm !== null);

/** A subject names tenant and type of the first event, also where the body says nothing: switchyard.event.<tenant>.<concern>.<name>. */
export const namedBy = (subject: string): Pick<Unreadable, 'tenant' | 'type'> => {
  const [, , tenant = null, ...type] = subject.split('.');
  return { tenant, type: type.length === 2 ? type.join('.') : null };
};

const featuresVersionIn = (body: Uint8Array): number | null => {
  try {
    return featuresVersionOf(JSON.parse(Buffer.from(body).toString('utf8')) as Json);
  } catch {
    return null;
  }
};

export const featuresVersionOf = (event: Json): number | null => {
  const version = ['data', 'features', 'version'].reduce<Json | undefined>(
    (value, key) => (value !== undefined && isJsonObject(value) ? value[key] : undefined),
    event,
  );
  return typeof version === 'number' ? version : null;
};
