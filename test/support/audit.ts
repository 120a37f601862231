import pino from 'pino';
import type { Bus } from '../../src/bus/bus.ts';
import { connectBus } from '../../src/bus/jetstream/connect.ts';
import { loadSettings } from '../../src/config/load.ts';
import { sequence, type Sequence, type SwitchyardEvent } from '../../src/events/index.ts';
import type { TestYard } from './yard.ts';
import { eventually } from './eventually.ts';

/**
 * What a yard has recorded, counted from the log itself and from ClickHouse: the yardstick of every fault test.
 */
export type RequestRecord = {
  decisions: number;
  hits: number;
  outcomes: number;
  rewards: number;
  revisions: number;
  outcome: string | null;
};

export const openTestBus = (yard: TestYard): Promise<Bus> => {
  const settings = loadSettings({ file: yard.settings.file ?? '', env: { NATS_URL: yard.natsUrl } });
  return connectBus({ settings, name: 'test', logger: pino({ level: 'silent' }) });
};

export const readLog = async (bus: Bus, to?: Sequence): Promise<readonly SwitchyardEvent[]> => {
  const events: SwitchyardEvent[] = [];
  for await (const entry of bus.log.read({ from: sequence(1), ...(to === undefined ? {} : { to }) }))
    if (entry.kind === 'events') events.push(...entry.events);
  return events;
};

export const auditLog = async (bus: Bus): Promise<ReadonlyMap<string, RequestRecord>> => {
  const records = new Map<string, RequestRecord>();
  for (const event of await readLog(bus)) {
    // Of no request.
    if (event.type === 'policy.activated' || event.type === 'policy.canary_started' || event.type === 'policy.canary_ended') continue;
    if (event.type === 'budget.paced' || event.type === 'shadow.granted' || event.type === 'shadow.skipped') continue;
    const record = records.get(event.correlationid) ?? { decisions: 0, hits: 0, outcomes: 0, rewards: 0, revisions: 0, outcome: null };
    records.set(event.correlationid, record);
    switch (event.type) {
      case 'route.decided':
        record.decisions++;
        break;
      case 'cache.hit':
        record.hits++;
        break;
      case 'response.completed':
      case 'response.failed':
        record.outcomes++;
        record.outcome = event.type === 'response.completed' ? 'completed' : event.data.code;
        break;
      case 'reward.recorded':
        if (event.data.revision === 0) record.rewards++;
        else record.revisions++;
        break;
      case 'cache.stored':
      case 'shadow.completed':
      case 'feedback.received':
      case 'feedback.rejected':
        break;
    }
  }
  return records;
};

/** The requests that do not have exactly one decision (or answer from the cache), one outcome and one first reward. */
export const imperfect = (records: ReadonlyMap<string, RequestRecord>) =>
  [...records].filter(([, r]) => r.decisions + r.hits !== 1 || r.outcomes !== 1 || r.rewards !== 1);

/** Runs one statement on the yard's read-only SQL interface. */
export const sql = async <Row>(yard: TestYard, query: string): Promise<readonly Row[]> => {
  const response = await fetch(`${yard.sqlUrl}/?default_format=JSONEachRow`, { method: 'POST', body: query });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
};

/** Waits until ClickHouse holds every message that is in the log now; returns the last of them. */
export const drained = async (yard: TestYard, bus: Bus): Promise<Sequence> => {
  const { last } = await bus.log.bounds();
  await eventually(
    async () => {
      const [row] = await sql<{ last: number | string }>(yard, 'SELECT max(sequence) AS last FROM switchyard.events');
      return Number(row?.last ?? 0) >= last;
    },
    { what: `the projection to reach message ${last}`, everyMs: 200 },
  );
  return last;
};

/** Events up to a message that have no row in ClickHouse, or more than one, and the sums of both sides. */
export const compareWithClickhouse = async (yard: TestYard, bus: Bus, to: Sequence) => {
  const rows = await sql<{ id: string; n: number | string }>(
    yard,
    `SELECT id, count() AS n FROM switchyard.events WHERE type != '_poison' AND sequence <= ${to} GROUP BY id`,
  );
  const counted = new Map(rows.map(({ id, n }) => [id, Number(n)]));
  const events = await readLog(bus, to);
  return {
    events: events.length,
    rows: rows.reduce((sum, { n }) => sum + Number(n), 0),
    missing: events.filter(({ id }) => !counted.has(id)).map(({ id }) => id),
    repeated: [...counted].filter(([, n]) => n !== 1).map(([id]) => id),
  };
};
