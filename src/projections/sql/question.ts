/** A query as it arrives at the HTTP interface, and what comes of it. */
export type SqlQuestion = {
  readonly sql: string;
  /** Values of `{name:Type}`, in the escaped text form of ClickHouse's HTTP interface. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  /** When the query names none. */
  readonly defaultFormat: string;
  readonly database: string | null;
};

export type SqlAnswer =
  | {
      readonly kind: 'result';
      readonly body: Uint8Array;
      readonly format: string;
      readonly elapsedNs: number;
      readonly rowsRead: number;
      readonly bytesRead: number;
    }
  /** The query was answered with an error of ClickHouse's numbering. */
  | { readonly kind: 'error'; readonly code: number; readonly name: string; readonly message: string }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** Answers one query. Does not throw for what the query is to blame for. */
export type AnswerSql = (question: SqlQuestion) => Promise<SqlAnswer>;

/** Numbers and names from src/Common/ErrorCodes.cpp of ClickHouse, for refusals of our own. */
export const sqlErrors = {
  badRequest: { code: 36, name: 'BAD_ARGUMENTS' },
  readOnly: { code: 164, name: 'READONLY' },
  tooLarge: { code: 396, name: 'TOO_MANY_ROWS_OR_BYTES' },
  tooManyQueries: { code: 202, name: 'TOO_MANY_SIMULTANEOUS_QUERIES' },
  queryTooLarge: { code: 307, name: 'TOO_MANY_BYTES' },
  internal: { code: 1002, name: 'UNKNOWN_EXCEPTION' },
} as const;
