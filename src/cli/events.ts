import { Option } from 'commander';
import { catalogue, sequence } from '../events/index.ts';
import { collect, configOption, jsonOption, natsUrlOption, wholeNumber, withExamples, type AddCommand } from './command.ts';
import { eventLine, poisonLine } from './event-line.ts';
import { usageError } from './exit-codes.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { foundIn, newest, type Found, type Wanted } from './log-tail.ts';
import { withBus } from './open-bus.ts';
import { firstFrom, parsePosition, positionHelp, type Position } from './position.ts';
import type { Terminal } from './terminal.ts';

type EventsOptions = AddressOptions & {
  readonly type?: readonly string[];
  readonly tenant?: string;
  readonly request?: string;
  readonly since?: Position;
  readonly limit?: number;
  readonly follow?: true;
};

const defaultLimit = 20;
const mostEvents = 10_000_000;

export const addEvents: AddCommand = (program, terminal) => {
  const command = program
    .command('events')
    .summary('read the event log')
    .description(
      'Reads the event log itself, over NATS: the newest events, those from a place on, or what comes. What cannot be read is told where nothing is filtered.',
    )
    .option('--type <type>', 'only this type (route.decided), or this concern (cache); can be given several times', collect)
    .option('-t, --tenant <name>', 'only this tenant')
    .option('-r, --request <id>', 'only this request')
    .addOption(new Option('-s, --since <place>', `begin at ${positionHelp}`).argParser(parsePosition('--since')))
    .addOption(
      new Option(
        '-n, --limit <count>',
        `the newest so many (default: ${defaultLimit}); with --since the first so many (default: all)`,
      ).argParser(wholeNumber(0, mostEvents)),
    )
    .option('-f, --follow', 'go on with what is appended, until Ctrl-C (or, with --since and --limit, until that many)')
    .addOption(jsonOption('one CloudEvent a line, with its place in the log as logsequence and logindex'))
    .addOption(natsUrlOption())
    .addOption(configOption())
    .action((options: EventsOptions) => events(terminal, options));
  withExamples(command, [
    ['./switchyard events -f', 'watch'],
    ['./switchyard events --type response.failed -n 50', 'the newest failures'],
    ['./switchyard events --request order-17 --since 1h', 'what happened to a request'],
    ['./switchyard events --since 1 --json > log.jsonl', 'the whole log'],
  ]);
};

const events = async (terminal: Terminal, options: EventsOptions): Promise<void> => {
  const wanted = filterOf(options);
  const signal = terminal.interrupted();
  await withBus(locateYard(options), async ({ log, onStatus }) => {
    const show = options.json === true ? showAsJson : showAsLine;
    const bounds = await log.bounds();
    const { since } = options;
    if (since === undefined)
      for (const found of await newest(log, bounds, wanted, options.limit ?? defaultLimit, signal)) await show(terminal, found);

    const from = since === undefined ? sequence(bounds.last + 1) : await firstFrom(log, bounds, since);
    if (since !== undefined && since.kind === 'sequence' && since.sequence < bounds.first && since.sequence > 0)
      terminal.note(`the log begins at ${bounds.first}: older events have left it`);
    let left = since === undefined ? Infinity : (options.limit ?? Infinity);
    if (options.follow !== true && (since === undefined || from > bounds.last)) return;
    if (left === 0) return;

    onStatus((status) => {
      if (status.kind === 'reconnecting') terminal.note('the connection to NATS broke; events follow when it is back');
    });
    const entries = options.follow === true ? log.follow({ from, signal }) : log.read({ from, to: bounds.last, signal });
    for await (const entry of entries)
      for (const found of foundIn(entry, wanted)) {
        await show(terminal, found);
        if (--left === 0) return;
      }
  });
};

const showAsLine = async (terminal: Terminal, found: Found): Promise<void> => {
  if (found.kind === 'poison') await terminal.line(terminal.style('red', poisonLine(found.entry)));
  else await terminal.line(eventLine(terminal, `#${found.sequence}.${found.index}`, found.event));
};

/** stdout holds CloudEvents only: what is none goes to stderr. */
const showAsJson = async (terminal: Terminal, found: Found): Promise<void> => {
  if (found.kind === 'poison') terminal.note(poisonLine(found.entry));
  else await terminal.json({ ...found.event, logsequence: found.sequence, logindex: found.index });
};

const filterOf = ({ type: types, tenant, request }: EventsOptions): Wanted => {
  for (const type of types ?? [])
    if (!Object.keys(catalogue).some((known) => isOf(known, type)))
      throw usageError(`--type: expected one of ${Object.keys(catalogue).join(', ')}, or the part before the dot; got "${type}"`);
  return {
    event: (event) =>
      (types === undefined || types.some((type) => isOf(event.type, type))) &&
      (tenant === undefined || event.tenant === tenant) &&
      (request === undefined || event.correlationid === request),
    poison: types === undefined && tenant === undefined && request === undefined,
  };
};

const isOf = (type: string, named: string): boolean => type === named || type.startsWith(`${named}.`);
