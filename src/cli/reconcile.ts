import { Option } from 'commander';
import { z } from 'zod';
import type { LogBounds } from '../bus/event-log.ts';
import type { Reconciliation } from '../projections/reconcile.ts';
import { askProjector, findProjector, isMeant, projectorStatusSchema } from './ask-projector.ts';
import { configOption, jsonOption, natsUrlOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { exitCodes, usageError, type CommandError } from './exit-codes.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { grouped, milliseconds } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { placeInWords, requireOrder } from './period.ts';
import { firstFrom, lastUpTo, parsePosition, positionHelp, type Position } from './position.ts';
import { openProgress } from './progress.ts';
import { writeTable } from './table.ts';
import { excerpt, type Terminal } from './terminal.ts';

type ReconcileOptions = AddressOptions & { readonly from?: Position; readonly to?: Position };

/** So much is compared at a time: between two slices progress is shown and Ctrl-C is heard. */
const sliceMessages = 50_000;
const sliceTimeoutMs = 300_000;
/** For which projector it is, and how far. */
const patienceMs = 10_000;

export const addReconcile: AddCommand = (program, terminal) => {
  const command = program
    .command('reconcile')
    .summary('compare ClickHouse with the log')
    .description(
      'Projects a range of the log again beside the table and shows where the two differ. Exit code 1 when they do, 2 when there is nothing to compare.',
    )
    .addOption(
      new Option('--from <place>', `begin at ${positionHelp} (default: the first that the log holds)`).argParser(parsePosition('--from')),
    )
    .addOption(new Option('--to <place>', 'end there (default: the last that has been projected)').argParser(parsePosition('--to')))
    .addOption(jsonOption('one object'))
    .addOption(natsUrlOption())
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: ReconcileOptions) => reconcile(terminal, options));
  withExamples(command, [
    ['./switchyard reconcile', 'everything'],
    ['./switchyard reconcile --from 1h', 'the last hour'],
    ['./switchyard reconcile --from 1 --to 100000 --json', 'a range, for programs'],
  ]);
};

const reconcile = async (terminal: Terminal, options: ReconcileOptions): Promise<void> => {
  requireOrder(options);
  const signal = terminal.interrupted();
  const located = locateYard(options);
  const which = await findProjector(located, { timeoutMs: patienceMs });
  await withBus(located, async ({ log, messenger }) => {
    const projector = await askProjector(messenger, { command: 'status' }, projectorStatusSchema, { which, timeoutMs: patienceMs });
    if (!isMeant(which, projector, located))
      terminal.note(`compared is the database at ${projector.sqlUrl}, whose projector answered: nobody answers at ${located.sql.url}`);
    const { checkpoint } = projector;
    const bounds = await log.bounds();
    const from = options.from === undefined ? bounds.first : await firstFrom(log, bounds, options.from);
    const to = options.to === undefined ? Math.min(checkpoint, bounds.last) : await lastUpTo(log, bounds, options.to);
    const isFresh = bounds.last < bounds.first && options.from === undefined && options.to === undefined;
    if (isFresh) terminal.note('nothing to compare: the log is empty');
    else if (from > to) throw nothingToCompare(options, bounds, checkpoint);
    if (options.to === undefined && to < bounds.last)
      terminal.note(`${grouped(bounds.last - to)} messages of the log, after ${grouped(to)}, are not projected yet and not compared`);

    const progress = openProgress('comparing', Math.max(0, to - from + 1));
    let total: Reconciliation = { ...nothing, from, to };
    try {
      for (let low: number = from; low <= to; low += sliceMessages) {
        const slice = { from: Math.max(1, low), to: Math.min(low + sliceMessages - 1, to) };
        total = add(
          total,
          await askProjector(messenger, { command: 'reconcile', ...slice }, reconciliationSchema, { which, timeoutMs: sliceTimeoutMs }),
        );
        progress.update(slice.to - from + 1);
        signal.throwIfAborted();
      }
    } finally {
      progress.stop();
    }
    // Messages leave the log while others are compared.
    if (!isFresh && total.rowsOfLog + total.rowsOfTable === 0) throw nothingToCompare(options, bounds, checkpoint);
    if (options.json === true) await terminal.json(total);
    else if (!isFresh) await show(terminal, total);
    if (!total.equal) process.exitCode = exitCodes.failed;
  });
};

/** A comparison of nothing would pass, whatever ClickHouse holds: an error, which says what there is to compare. */
const nothingToCompare = ({ from, to }: ReconcileOptions, { first, last }: LogBounds, checkpoint: number): CommandError => {
  const asked = `${from === undefined ? '' : ` from ${placeInWords(from)}`}${to === undefined ? '' : ` to ${placeInWords(to)}`}`;
  const log = last < first ? 'the log is empty' : `the log holds ${first} to ${last}`;
  const rows = checkpoint < 1 ? 'ClickHouse has none of it yet' : `ClickHouse has what was before ${checkpoint + 1}`;
  return usageError(`expected messages to compare${asked}, got none: ${log}, ${rows}`);
};

const count = z.number();
const reconciliationSchema: z.ZodType<Reconciliation> = z.object({
  from: count,
  to: count,
  rowsOfLog: count,
  rowsOfTable: count,
  missing: count,
  extra: count,
  different: count,
  duplicated: count,
  equal: z.boolean(),
  examples: z.array(
    z.object({
      kind: z.enum(['missing', 'extra', 'different']),
      sequence: count,
      eventIndex: count,
      columns: z.array(z.object({ column: z.string(), log: z.unknown(), table: z.unknown() })),
    }),
  ),
  tookMs: count,
});

const mostExamples = 10;

const nothing: Omit<Reconciliation, 'from' | 'to'> = {
  rowsOfLog: 0,
  rowsOfTable: 0,
  missing: 0,
  extra: 0,
  different: 0,
  duplicated: 0,
  equal: true,
  examples: [],
  tookMs: 0,
};

/** The range stays that of the whole. */
const add = (total: Reconciliation, slice: Reconciliation): Reconciliation => ({
  from: total.from,
  to: total.to,
  rowsOfLog: total.rowsOfLog + slice.rowsOfLog,
  rowsOfTable: total.rowsOfTable + slice.rowsOfTable,
  missing: total.missing + slice.missing,
  extra: total.extra + slice.extra,
  different: total.different + slice.different,
  duplicated: total.duplicated + slice.duplicated,
  equal: total.equal && slice.equal,
  examples: [...total.examples, ...slice.examples].slice(0, mostExamples),
  tookMs: total.tookMs + slice.tookMs,
});

const show = async (terminal: Terminal, total: Reconciliation): Promise<void> => {
  const right = (title: string) => ({ title, align: 'right' as const });
  await writeTable(
    terminal,
    [
      right('from'),
      right('to'),
      right('rows of the log'),
      right('rows in ClickHouse'),
      right('missing'),
      right('extra'),
      right('different'),
      right('duplicated'),
    ],
    [
      [
        total.from,
        total.to,
        ...[total.rowsOfLog, total.rowsOfTable, total.missing, total.extra, total.different, total.duplicated].map(grouped),
      ],
    ],
  );
  await terminal.line();
  if (total.equal) await terminal.line(terminal.style('green', `ClickHouse holds what the log says (${milliseconds(total.tookMs)})`));
  else await showExamples(terminal, total);
};

const showExamples = async (terminal: Terminal, { examples }: Reconciliation): Promise<void> => {
  await terminal.line(terminal.style('red', `ClickHouse differs from the log; the first differences:`));
  const said = (value: unknown) => excerpt(typeof value === 'string' ? value : JSON.stringify(value), 60);
  await writeTable(
    terminal,
    [{ title: 'place' }, { title: 'is' }, { title: 'column' }, { title: 'by the log' }, { title: 'in ClickHouse' }],
    examples.flatMap(({ kind, sequence, eventIndex, columns }) =>
      columns.length === 0
        ? [[`#${sequence}.${eventIndex}`, kind, '', '', '']]
        : columns.map(({ column, log, table }) => [`#${sequence}.${eventIndex}`, kind, column, said(log), said(table)]),
    ),
  );
};
