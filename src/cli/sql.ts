import { InvalidArgumentError, Option } from 'commander';
import { configOption, jsonOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { CommandError, exitCodes, unreachable } from './exit-codes.ts';
import { call } from './http.ts';
import { locateYard, type AddressOptions, type Located } from './locate.ts';
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
  const response = await call(located, 'sql', `/?${parametersOf(located, options).toString()}`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8', ...credentialsOf(located) },
    body: statement === '-' ? await readStandardInput('a statement') : statement,
    signal: terminal.interrupted(),
  });
  if (!response.ok) throw await refusal(response);
  let isEmpty = true;
  const decoder = new TextDecoder();
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    isEmpty &&= chunk.length === 0;
    await terminal.write(terminal.isInteractive ? printable(decoder.decode(chunk, { stream: true })) : chunk);
  }
  if (isEmpty && options.format === undefined && options.json !== true) terminal.note('no rows');
};

const parametersOf = ({ settings }: Located, options: SqlOptions): URLSearchParams => {
  const parameters = new URLSearchParams({
    // Counts only where the statement names no format of its own.
    default_format: options.json === true ? 'JSONEachRow' : (options.format ?? 'PrettyCompactNoEscapesMonoBlock'),
    database: settings.config.clickhouse.database,
    // The status tells whether it worked, also when the last row fails.
    wait_end_of_query: '1',
  });
  for (const [name, value] of Object.entries(options.param ?? {})) parameters.set(`param_${name}`, escaped(value));
  return parameters;
};

/** ClickHouse reads values of parameters in the escaped form of its tab-separated files. */
const escaped = (value: string): string => value.replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? character);
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

const credentialsOf = ({ settings }: Located): Record<string, string> => {
  const { config, secrets } = settings;
  return {
    ...(config.clickhouse.user === undefined ? {} : { 'x-clickhouse-user': config.clickhouse.user }),
    ...(secrets.clickhousePassword === undefined ? {} : { 'x-clickhouse-key': secrets.clickhousePassword }),
  };
};

/** ClickHouse writes "Code: 62. DB::Exception: <what>. (<NAME>) (version 26.7.1 (official build))". */
const exceptionForm = /^Code: (\d+)\. (?:DB::Exception: )?([^]*?)(?: \(version [^]*\))?\s*$/;

const refusal = async (response: Response): Promise<CommandError> => {
  const text = printable(await response.text());
  const [, code, what] = exceptionForm.exec(text) ?? [];
  if (code === undefined || what === undefined)
    return unreachable(
      `expected ClickHouse at ${new URL(response.url).origin}, got status ${response.status}: ${text.slice(0, 500).trim()}`,
    );
  if (response.status === 503) return unreachable(`ClickHouse is busy (code ${code}): ${what.trim()}`);
  return new CommandError(exitCodes.usage, `ClickHouse refused the statement (code ${code}): ${what.trim()}`);
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
