import type { z } from 'zod';
import { noAnswerInTime, raiseHint } from './clickhouse-faults.ts';
import { CommandError, exitCodes, unreachable } from './exit-codes.ts';
import { call } from './http.ts';
import type { Located } from './locate.ts';
import { printable } from './terminal.ts';

/** One statement, over HTTP. What ClickHouse refuses, and nobody there, are errors that say what to do. */
export const askClickhouse = async (
  located: Located,
  statement: string,
  options: { readonly format: string; readonly parameters?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<Response> => {
  const address = new URLSearchParams({
    // Counts only where the statement names no format of its own.
    default_format: options.format,
    database: located.settings.config.clickhouse.database,
    // The status tells whether it worked, also when the last row fails.
    wait_end_of_query: '1',
  });
  for (const [name, value] of Object.entries(options.parameters ?? {})) address.set(`param_${name}`, escaped(value));
  const response = await call(located, 'sql', `/?${address.toString()}`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8', ...credentialsOf(located) },
    body: statement,
    signal: options.signal,
  });
  if (!response.ok) throw await refusal(located, response);
  return response;
};

/** A statement of the user's: the engine of a yard gives it up by itself after so long, and says which limit that was; who says nothing for longer is away. */
export const askInTime = async (located: Located, statement: string, options: Parameters<typeof askClickhouse>[2]): Promise<Response> => {
  const patience = new AbortController();
  const timer = setTimeout(() => {
    patience.abort();
  }, located.settings.config.clickhouse.queryTimeoutMs + graceMs);
  try {
    return await askClickhouse(located, statement, { ...options, signal: AbortSignal.any([options.signal, patience.signal]) });
  } catch (error) {
    throw patience.signal.aborted && !options.signal.aborted ? noAnswerInTime(located, error) : error;
  } finally {
    clearTimeout(timer);
  }
};
const graceMs = 2_000;

/** The rows of a SELECT, each checked. A question of our own: whoever does not answer it in time is away. */
export const rowsFromClickhouse = async <Row>(
  located: Located,
  statement: string,
  row: z.ZodType<Row>,
  options: { readonly parameters?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<readonly Row[]> => {
  const patience = AbortSignal.timeout(located.settings.config.clickhouse.queryTimeoutMs);
  const signal = AbortSignal.any([options.signal, patience]);
  try {
    const response = await askClickhouse(located, statement, { ...options, signal, format: 'JSONEachRow' });
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    return lines.map((line) => row.parse(JSON.parse(line)));
  } catch (error) {
    throw patience.aborted && !options.signal.aborted ? noAnswerInTime(located, error) : error;
  }
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

const refusal = async (located: Located, response: Response): Promise<CommandError> => {
  const text = printable(await response.text());
  const [, code, what] = exceptionForm.exec(text) ?? [];
  if (code === undefined || what === undefined)
    return unreachable(
      `expected ClickHouse at ${new URL(response.url).origin}, got status ${response.status}: ${text.slice(0, 500).trim()}`,
    );
  if (response.status === 503) return unreachable(`ClickHouse is busy (code ${code}): ${what.trim()}`);
  return new CommandError(
    exitCodes.usage,
    `ClickHouse refused the statement (code ${code}): ${what.trim()}${raiseHint(located, Number(code))}`,
  );
};
