import { InvalidArgumentError, Option } from 'commander';
import { askInTime } from './ask-clickhouse.ts';
import { configOption, jsonOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { readStandardInput } from './standard-input.ts';
import { printable, type Terminal } from './terminal.ts';

type SqlOptions = AddressOptions & { readonly format?: string; readonly param?: Readonly<Record<string, string>> };

export const addSql: AddCommand = (program, terminal) => {
  const command = program
    .command('sql')
    .summary('ask ClickHouse')
    .description("Runs one statement on the yard's ClickHouse over HTTP. The tables and views are in docs/sql.md; SHOW TABLES lists them.")
    .argument('<statement>', 'what to run; - reads it from stdin')
    .addOption(
      new Option(
        '--format <name>',
        'any output format of ClickHouse: CSV, TSV, Vertical, Markdown, Parquet, ... (default: a table)',
      ).argParser(formatName),
    )
    .addOption(
      new Option('-p, --param <name=value>', 'value of {name:Type} in the statement; can be given several times').argParser(parameter),
    )
    .addOption(jsonOption('one row a line (JSONEachRow)').conflicts('format'))
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((statement: string, options: SqlOptions) => sql(terminal, statement, options));
  withExamples(command, [
    ['./switchyard sql "SELECT * FROM parity"', 'a table'],
    ['./switchyard sql --param arm=large "SELECT count() FROM decisions WHERE arm = {arm:String}"', 'a bound parameter'],
    ['./switchyard sql --format CSVWithNames "SELECT * FROM requests" > requests.csv', 'another format'],
    ['./switchyard sql - < report.sql', 'from a file'],
  ]);
};

const sql = async (terminal: Terminal, statement: string, options: SqlOptions): Promise<void> => {
  const located = locateYard(options);
  const response = await askInTime(located, statement === '-' ? await readStandardInput('a statement') : statement, {
    format: options.json === true ? 'JSONEachRow' : (options.format ?? 'PrettyCompactNoEscapesMonoBlock'),
    parameters: options.param ?? {},
    signal: terminal.interrupted(),
  });
  let isEmpty = true;
  const decoder = new TextDecoder();
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    isEmpty &&= chunk.length === 0;
    await terminal.write(terminal.isInteractive ? printable(decoder.decode(chunk, { stream: true })) : chunk);
  }
  if (isEmpty && options.format === undefined && options.json !== true) terminal.note('no rows');
};

const formatName = (text: string): string => {
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(text)) throw new InvalidArgumentError('Expected the name of an output format, such as CSVWithNames.');
  return text;
};

const parameter = (text: string, before: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> => {
  const [, name, value] = /^([A-Za-z_]\w*)=([^]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Expected name=value, such as arm=large.');
  return { ...before, [name]: value };
};
