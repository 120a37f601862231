import type { RecordedEvent, RecordedFeedback } from '../domain/routing/remembered.ts';
import type { Tenant } from '../events/index.ts';
import { literal, wholeNumber, type Clickhouse } from './clickhouse.ts';
import { currentChain, inSpans, readEpochs, spansOf } from './epochs.ts';
import { eventColumns, eventsOfRows } from './events-of-rows.ts';
import { tables } from './table.ts';

/**
 * Rows back to events: what the log said of some requests, and which feedback has no consequence yet. Of the current log alone, each message once, like everything that
 * the router builds on. An event that cannot be understood is left out: whoever folds the log skips it as well. Plain SELECTs: works over the read-only interface.
 */
/** A request has some ten events, and at most a hundred revisions; feedback that somebody pours out over one request must not fill the memory. */
const eventsOfOneRequest = 2_000;

/** For each request its events that say what it began with, how it ended, what it was worth and how it was judged, in the order of the log. */
export const requestEvents = async (
  clickhouse: Clickhouse,
  requests: readonly { readonly tenant: Tenant; readonly requestId: string }[],
): Promise<readonly (readonly RecordedEvent[])[]> => {
  const ids = requests.map(({ requestId }) => literal(requestId)).join(', ');
  // The index is of the id alone. Two tenants seldom give the same one; what is another's is left out below.
  const rows = await clickhouse.rows(
    `SELECT ${eventColumns} FROM ${tables.events} WHERE ${await ofCurrentLog(clickhouse)} AND request_id IN (${ids}) AND type IN ('route.decided', 'cache.hit', 'response.completed', 'response.failed', 'reward.recorded', 'feedback.received', 'feedback.rejected') ORDER BY sequence, event_index LIMIT ${eventsOfOneRequest} BY tenant, request_id`,
  );
  const events = eventsOfRows(rows);
  return requests.map(({ tenant, requestId }) =>
    events.filter(({ event }) => event.tenant === tenant && event.correlationid === requestId),
  );
};

/** Feedback from a stretch of the log, both ends included, that neither a revision nor a rejection names as its cause. Null when not all of the stretch is here. */
export const unsettledFeedback = async (
  clickhouse: Clickhouse,
  { from, to, limit, createdAt }: { readonly from: number; readonly to: number; readonly limit: number; readonly createdAt: string },
): Promise<readonly RecordedFeedback[] | null> => {
  const chain = currentChain(await readEpochs(clickhouse));
  if (chain.at(-1)?.streamCreatedAt !== createdAt) return null;
  const mine = inSpans(spansOf(chain));
  const [row] = await clickhouse.rows(`SELECT max(sequence) AS reached FROM ${tables.events} WHERE ${mine}`);
  if (wholeNumber(row, 'reached') < to) return null;
  const settled = `SELECT causation_id FROM ${tables.events} WHERE ${mine} AND sequence >= ${from} AND (type = 'feedback.rejected' OR (type = 'reward.recorded' AND revision > 0))`;
  const rows = await clickhouse.rows(
    `SELECT ${eventColumns} FROM ${tables.events} WHERE ${mine} AND sequence >= ${from} AND sequence <= ${to} AND type = 'feedback.received' AND id NOT IN (${settled}) ORDER BY sequence, event_index LIMIT ${limit}`,
  );
  return eventsOfRows(rows).filter((it): it is RecordedFeedback => it.event.type === 'feedback.received');
};

const ofCurrentLog = async (clickhouse: Clickhouse): Promise<string> => inSpans(spansOf(currentChain(await readEpochs(clickhouse))));
