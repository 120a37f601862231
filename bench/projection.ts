import type { Entry } from '../src/projections/batch-buffer.ts';
import type { Clickhouse } from '../src/projections/clickhouse.ts';
import { encodeEntry } from '../src/projections/encode-entry.ts';
import { insertStatement } from '../src/projections/event-writer.ts';
import { sequence, type NonEmpty, type SwitchyardEvent } from '../src/events/index.ts';
import { fillLog, openLaboratory, type Laboratory } from './laboratory.ts';
import { requestMessages } from './made-up-events.ts';
import { projectUntil } from './project-until.ts';
import type { BenchContext, Benchmark } from './report.ts';
import { median, rounded } from './statistics.ts';

/**
 * How much of the engine's own speed the projector keeps: rows a second from a prepared log into the table `events`, against the very same rows, converted
 * beforehand, inserted one batch after the other into the same table of another database. Paired rounds in alternating order, each in a new database.
 * The projector's time runs from its start to the last row; that of the inserts holds nothing else.
 */
export const projection: Benchmark = {
  summary: 'rows a second of the projector against raw inserts of the same rows',
  run: async (context) => {
    await using opened = new AsyncDisposableStack();
    const { note, signal, scale } = context;
    const laboratory = opened.adopt(await openLaboratory(), (lab) => lab.close());
    const messages = Math.max(2, Math.round(requestCount * scale)) * 2;
    note(`appending ${messages} messages to the log`);
    await fillLog(laboratory.bus, messages, messageOf, signal);
    const { batches, rows } = await prepare(laboratory);

    const rounds: Round[] = [];
    for (let round = -1; round < roundCount(context); round++) {
      signal.throwIfAborted();
      const project = async () =>
        rows /
        (await inDatabase(laboratory, `projector_${round + 1}`, (clickhouse) => projectAll(laboratory, clickhouse, messages, signal)));
      const insert = async () => rows / (await inDatabase(laboratory, `raw_${round + 1}`, (clickhouse) => insertAll(clickhouse, batches)));
      const rawFirst = round % 2 !== 0 ? await insert() : undefined;
      const projected = await project();
      const raw = rawFirst ?? (await insert());
      note(`${round < 0 ? 'warm-up' : `round ${round + 1}`}: projector ${Math.round(projected)} rows/s, raw ${Math.round(raw)} rows/s`);
      if (round >= 0) rounds.push({ projected, raw });
    }
    const ratio = rounded(median(rounds.map(({ projected, raw }) => projected / raw)));
    return {
      settings: { requests: messages / 2, messages, rows, rowsPerBatch: laboratory.config.projector.batchRows, rounds: rounds.length },
      tables: [
        {
          title: 'Rows a second into the table events, embedded engine',
          columns: ['round', 'projector', 'raw inserts', 'ratio'],
          rows: [
            ...rounds.map(({ projected, raw }, i) => [i + 1, Math.round(projected), Math.round(raw), rounded(projected / raw)]),
            [
              'median',
              Math.round(median(rounds.map(({ projected }) => projected))),
              Math.round(median(rounds.map(({ raw }) => raw))),
              ratio,
            ],
          ],
        },
      ],
      marks: [
        { name: 'rows a second of the projector, as a share of raw inserts', value: ratio, comparison: '>=', threshold: 0.6, unit: '' },
      ],
      notMeasured: ['a ClickHouse server instead of the embedded engine; projection while requests are served (that is in `overhead`)'],
    };
  },
};

const requestCount = 60_000;
const roundsUsually = 5;

type Round = { readonly projected: number; readonly raw: number };

const roundCount = ({ scale }: BenchContext): number => (scale < 1 ? 2 : roundsUsually);

const messageOf = (index: number): NonEmpty<SwitchyardEvent> => requestMessages(index >> 1)[index & 1 ? 1 : 0];

/** The rows as text, in batches of as many rows as the projector's. */
const prepare = async ({ bus, config }: Laboratory): Promise<{ readonly batches: readonly string[]; readonly rows: number }> => {
  const batches: string[] = [];
  let lines: string[] = [];
  let inBatch = 0;
  let rows = 0;
  const cut = () => {
    if (lines.length > 0) batches.push(lines.join(''));
    lines = [];
    inBatch = 0;
  };
  for await (const message of bus.log.read({ from: sequence(1) })) {
    if (message.kind === 'poison') throw new Error(`expected events that can be read, got at ${message.sequence}: ${message.detail}`);
    const entry: Entry = encodeEntry(message, 1);
    lines.push(entry.lines);
    inBatch += entry.rows;
    rows += entry.rows;
    if (inBatch >= config.projector.batchRows) cut();
  }
  cut();
  return { batches, rows };
};

/** Seconds that `work` measured, in a database that exists for it alone. */
const inDatabase = async (laboratory: Laboratory, name: string, work: (clickhouse: Clickhouse) => Promise<number>): Promise<number> => {
  const clickhouse = await laboratory.openDatabase(name);
  try {
    return await work(clickhouse);
  } finally {
    await clickhouse.command(`DROP DATABASE ${name}`);
    await clickhouse.close();
  }
};

const insertAll = async (clickhouse: Clickhouse, batches: readonly string[]): Promise<number> => {
  const beganMs = performance.now();
  for (const [i, lines] of batches.entries()) await clickhouse.insert(insertStatement('events', `raw:${i}`), lines);
  return (performance.now() - beganMs) / 1_000;
};

const projectAll = async (laboratory: Laboratory, clickhouse: Clickhouse, last: number, signal: AbortSignal): Promise<number> => {
  const beganMs = performance.now();
  await projectUntil(laboratory, clickhouse, () => last, signal);
  return (performance.now() - beganMs) / 1_000;
};
