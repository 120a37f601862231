import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';
import { arrowFormat, columnsOfArrow, type Columns } from './arrow-columns.ts';

/**
 * The way into ClickHouse: the official client, over HTTP to a server or over the engine inside this process. Held to one contract suite
 * (test/contracts/clickhouse.ts).
 *
 * 1. No settings are given per call: over the embedded engine they would stay in force for all later calls. They stand in the text of the query.
 * 2. No bound parameters: over the embedded engine these run one at a time for the whole process. Values are whole numbers or go through `literal`.
 * 3. 64-bit numbers arrive as text; the reader of a row turns them into numbers where they are known to be exact.
 */
export type Clickhouse = {
  /** Rows of a SELECT, without FORMAT. */
  readonly rows: (select: string) => Promise<readonly Row[]>;
  /** The one column of a SELECT, without FORMAT, which is text without line feeds: for many rows, which are read faster than as objects. */
  readonly texts: (select: string) => Promise<readonly string[]>;
  /** Columns of a SELECT, without FORMAT and SETTINGS: for very many rows. */
  readonly columns: (select: string) => Promise<Columns>;
  /** A statement that gives nothing back. Done when it resolves. */
  readonly command: (statement: string) => Promise<void>;
  /** `insert` is all before FORMAT; `lines` are JSON objects, one a line. Done when it resolves. */
  readonly insert: (insert: string, lines: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A value is what JSON holds: text for 64-bit numbers and times. */
export type Row = Readonly<Record<string, unknown>>;

export type ClickhouseAddress =
  /** A folder of this machine, which this process alone may have open. */
  | { readonly kind: 'embedded'; readonly path: string; readonly database: string }
  | {
      readonly kind: 'server';
      readonly url: string;
      readonly database: string;
      readonly user?: string | undefined;
      readonly password?: string | undefined;
    };

/** For reading and writing. Makes the database when it is not there. */
export const openClickhouse = async (address: ClickhouseAddress, options: { readonly requestTimeoutMs: number }): Promise<Clickhouse> => {
  const create = `CREATE DATABASE IF NOT EXISTS ${identifier(address.database)}`;
  if (address.kind === 'embedded') {
    // The embedded engine has one session, and a database in use stays in use.
    const clickhouse = over(createClient({ ...common, connection: embeddedConnection(address.path) }));
    await clickhouse.command(create);
    await clickhouse.command(`USE ${identifier(address.database)}`);
    return clickhouse;
  }
  const outside = over(serverClient({ ...address, database: undefined }, options));
  await outside.command(create).finally(outside.close);
  return over(serverClient(address, options));
};

/** For reading alone, over HTTP: a server, or the read-only interface of the projector. Connects at the first query. */
export const readClickhouse = (
  address: Extract<ClickhouseAddress, { kind: 'server' }>,
  options: { readonly requestTimeoutMs: number },
): Clickhouse => over(serverClient(address, options));

/** Errors are reported by whoever asked, with what it means there. */
const common = { clickhouse_settings: { output_format_json_quote_64bit_integers: 1 }, log: { level: ClickHouseLogLevel.OFF } } as const;

type ClientConnection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

/** chdb and the client each bring a copy of the same declarations, with private members, so that the compiler takes them for two different things. */
const embeddedConnection = (path: string): ClientConnection => createChdbConnection({ path }) as unknown as ClientConnection;

const serverClient = (
  address: {
    readonly url: string;
    readonly database: string | undefined;
    readonly user?: string | undefined;
    readonly password?: string | undefined;
  },
  { requestTimeoutMs }: { readonly requestTimeoutMs: number },
): ClickHouseClient =>
  createClient({
    url: address.url,
    request_timeout: requestTimeoutMs,
    ...common,
    application: 'switchyard',
    ...(address.database === undefined ? {} : { database: address.database }),
    ...(address.user === undefined ? {} : { username: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
  });

const over = (client: ClickHouseClient): Clickhouse => ({
  rows: async (select) => {
    const result = await client.query({ query: select, format: 'JSONEachRow' });
    return result.json<Row>();
  },
  texts: async (select) => {
    const result = await client.query({ query: select, format: 'TabSeparatedRaw' });
    const lines = (await result.text()).split('\n');
    // Each ends with a line feed.
    lines.pop();
    return lines;
  },
  columns: async (select) => {
    const { stream } = await client.exec({ query: `${select} ${arrowFormat}` });
    return columnsOfArrow(await bytesOf(stream));
  },
  command: async (statement) => {
    await client.command({ query: statement });
  },
  insert: async (insert, lines) => {
    const { stream } = await client.exec({ query: `${insert} FORMAT JSONEachRow`, values: Readable.from([lines]) });
    // The connection is free again once the (empty) answer was read.
    await text(stream);
  },
  close: () => client.close(),
});

const bytesOf = async (stream: Readable): Promise<Uint8Array> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/** Text as a literal of SQL. */
export const literal = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

export const identifier = (name: string): string => `\`${name.replace(/[\\`]/g, '\\$&')}\``;

/** Reads a whole number that JSON carried as text. Throws when it is none or would be rounded. */
export const wholeNumber = (row: Row | undefined, column: string): number => {
  const value = Number(row?.[column]);
  if (!Number.isSafeInteger(value))
    throw new TypeError(`expected a whole number below 2^53 in column ${column}, got ${String(row?.[column])}`);
  return value;
};

/** The engine's own number for what went wrong; null when the question never reached it. */
export const errorCode = (error: unknown): number | null => {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('type' in error)) return null;
  const code = Number(error.code);
  return Number.isSafeInteger(code) ? code : null;
};

/** Nothing came back within `requestTimeoutMs`. The client says it by this sentence alone: its error has neither class nor code. */
export const isTimeout = (error: unknown): boolean => error instanceof Error && error.message === 'Timeout error.';

/**
 * Codes that speak of the rows themselves: sending them again would fail again. All else (memory, disk, a server that is away) may pass.
 * Names and numbers: src/Common/ErrorCodes.cpp of ClickHouse.
 */
const dataErrors = new Set([
  6, // CANNOT_PARSE_TEXT
  25, // CANNOT_PARSE_ESCAPE_SEQUENCE
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  53, // TYPE_MISMATCH
  69, // ARGUMENT_OUT_OF_BOUND
  70, // CANNOT_CONVERT_TYPE
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  467, // CANNOT_PARSE_BOOL
  653, // CANNOT_PARSE_IPV4 and its like end here
]);

export const isDataError = (error: unknown): boolean => dataErrors.has(errorCode(error) ?? -1);

/** What went wrong, for a log line or a status: one line, without the rows. */
export const explainError = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.slice(0, 500) ?? '';

const briefCharacters = 160;

/** The same without the statement that ClickHouse repeats: for people, who did not write it. */
export const withoutStatement = (reason: string): string => {
  const brief = reason.split(/:? \(?(?:in scope|in query|while (?:executing|processing)|when analyz)/i, 1)[0] ?? '';
  return brief.length > briefCharacters ? `${brief.slice(0, briefCharacters).trimEnd()} ...` : brief;
};
