import { Option } from 'commander';
import type { DeadLetters } from '../bus/dead-letters.ts';
import { configOption, jsonOption, natsUrlOption, wholeNumber, withExamples, type AddCommand } from './command.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { bytes } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { writeTable } from './table.ts';
import { excerpt, type Terminal } from './terminal.ts';

type DeadOptions = AddressOptions & { readonly limit: number };
type Letter = Awaited<ReturnType<DeadLetters['list']>>[number];

const defaultLimit = 20;
const mostLetters = 100_000;
const previewCharacters = 48;

export const addDead: AddCommand = (program, terminal) => {
  const command = program
    .command('dead')
    .summary('list dead letters')
    .description('Lists what could not be handled, the newest first: why, where it came from, and how its body begins.')
    .addOption(new Option('-n, --limit <count>', 'so many at most').argParser(wholeNumber(1, mostLetters)).default(defaultLimit))
    .addOption(jsonOption('one letter a line, with the whole body in base64'))
    .addOption(natsUrlOption())
    .addOption(configOption())
    .action((options: DeadOptions) => dead(terminal, options));
  withExamples(command, [
    ['./switchyard dead', 'the newest'],
    ['./switchyard dead --json -n 1 | jq -r .body | base64 -d', 'the whole body of the newest'],
  ]);
};

const dead = async (terminal: Terminal, options: DeadOptions): Promise<void> => {
  const letters = await withBus(locateYard(options), ({ dead }) => dead.list({ limit: options.limit }));
  if (options.json === true) for (const letter of letters) await terminal.json(asJson(letter));
  else if (letters.length === 0) terminal.note('no dead letters');
  else await writeTable(terminal, columns, letters.map(asRow));
};

const asJson = ({ body, storedAtMs, ...letter }: Letter) => ({
  ...letter,
  storedAt: new Date(storedAtMs).toISOString(),
  bodyBytes: body.length,
  body: Buffer.from(body).toString('base64'),
});

const columns = [
  { title: '#', align: 'right' },
  { title: 'stored' },
  { title: 'reason' },
  { title: 'from' },
  { title: 'detail' },
  { title: 'size', align: 'right' },
  { title: 'body' },
] as const;

const asRow = (letter: Letter): readonly (string | number)[] => [
  letter.sequence,
  new Date(letter.storedAtMs).toISOString(),
  excerpt(letter.reason, previewCharacters),
  excerpt(`${letter.origin}${letter.originSequence === undefined ? '' : ` #${letter.originSequence}`}`, previewCharacters),
  excerpt(letter.detail, previewCharacters),
  bytes(letter.body.length),
  excerpt(new TextDecoder().decode(letter.body.subarray(0, 4 * previewCharacters)), previewCharacters),
];
