import { readingStatements, refusedKeywords, refusedNames } from './refused-names.ts';
import { judgeSetting, type SqlLimits } from './settings-policy.ts';
import { codeOf, tokensOf, type Token } from './tokens.ts';

/**
 * Decides about a query before the engine sees it. It is the outer of two walls: the inner one is a session of the engine with limits and `readonly = 1`.
 *
 * 1. One statement, and one that reads.
 * 2. No INTO OUTFILE, in any spelling: as code, the words `into`, `outfile` and `infile` may not occur at all.
 * 3. No function that reaches outside the tables, called, passed on by name or brought in as a parameter of type Identifier.
 * 4. Settings after SETTINGS are those that may be sent, and are handed on, so that the session has them before it becomes read-only.
 */
export type Guarded =
  | { readonly kind: 'allowed'; readonly settings: Readonly<Record<string, string>>; readonly format: string | null }
  | { readonly kind: 'refused'; readonly reason: string };

export const guardQuery = (
  sql: string,
  options: {
    readonly parameters: Readonly<Record<string, string>>;
    readonly refusedTableFunctions: ReadonlySet<string>;
    readonly limits: SqlLimits;
  },
): Guarded => {
  if (sql.includes('\0')) return refuse('expected SQL without NUL characters');
  const tokens = tokensOf(sql);
  if (tokens.kind === 'refused') return refuse(`expected SQL, got ${tokens.reason}`);
  const code = withoutLastSemicolon(codeOf(tokens.tokens));
  const reason =
    statementFault(code) ??
    code.reduce<string | null>((fault, _, at) => fault ?? tokenFault(code, at, options.refusedTableFunctions), null) ??
    identifierFault(code, options.parameters);
  if (reason !== null) return refuse(reason);
  const settings = settingsIn(code, options.limits);
  return typeof settings === 'string' ? refuse(settings) : { kind: 'allowed', settings, format: formatOf(code) };
};

const refuse = (reason: string): Guarded => ({ kind: 'refused', reason });

const withoutLastSemicolon = (code: readonly Token[]): readonly Token[] => {
  let end = code.length;
  while (code[end - 1]?.text === ';') end -= 1;
  return code.slice(0, end);
};

const statementFault = (code: readonly Token[]): string | null => {
  const first = code.find(({ text }) => text !== '(');
  if (first === undefined) return 'expected a query, got none';
  if (first.kind !== 'word' || !readingStatements.has(first.value.toLowerCase()))
    return `expected a query that reads (SELECT, WITH, SHOW, DESCRIBE, EXPLAIN, EXISTS), got ${first.text.slice(0, 40)}`;
  return code.some(({ text }) => text === ';') ? 'expected one statement, got several' : null;
};

const tokenFault = (code: readonly Token[], at: number, refusedTableFunctions: ReadonlySet<string>): string | null => {
  const token = code[at];
  if (token === undefined || (token.kind !== 'word' && token.kind !== 'quoted-name')) return null;
  // The engine knows more escapes than we care to: `\x66ile` is a name too.
  if (token.kind === 'quoted-name' && token.text.includes('\\'))
    return `expected a name without backslashes, got ${token.text.slice(0, 80)}`;
  const name = token.value.toLowerCase();
  if (token.kind === 'word' && refusedKeywords.has(name))
    return `${token.text.toUpperCase()} is refused: queries are read-only and results go to the caller`;
  if (refusedNames.has(name)) return `${token.value} is refused: it reaches outside the tables`;
  if (code[at + 1]?.text === '(' && refusedTableFunctions.has(name))
    return `the table function ${token.value} is refused: only the tables of this database can be read`;
  return null;
};

const plainPath = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** `{name:Identifier}` puts a name into the query that is not in its text. */
const identifierFault = (code: readonly Token[], parameters: Readonly<Record<string, string>>): string | null => {
  for (const [at, token] of code.entries()) {
    if (token.text !== '{' || code[at + 2]?.text !== ':' || code[at + 3]?.value.toLowerCase() !== 'identifier') continue;
    const value = parameters[code[at + 1]?.value ?? ''];
    if (value === undefined) continue;
    if (
      !plainPath.test(value) ||
      value
        .toLowerCase()
        .split('.')
        .some((name) => refusedNames.has(name))
    )
      return `expected the parameter ${code[at + 1]?.value ?? ''} to name a table or a column, got ${value.slice(0, 80)}`;
  }
  return null;
};

/** Pairs after SETTINGS, or what is wrong with them. A column of that name is followed by something else than `name =`. */
const settingsIn = (code: readonly Token[], limits: SqlLimits): Readonly<Record<string, string>> | string => {
  const settings: Record<string, string> = {};
  for (const [from, token] of code.entries()) {
    if (token.kind !== 'word' || token.value.toLowerCase() !== 'settings') continue;
    for (let at = from + 1; code[at + 1]?.text === '='; at += 4) {
      const name = code[at]?.value ?? '';
      const value = code[at + 2];
      if (value === undefined || value.kind === 'symbol' || value.text.includes('\\'))
        return `expected a plain value for the setting ${name}`;
      const verdict = judgeSetting(name, value.value, limits);
      if (verdict.kind === 'refuse') return verdict.reason;
      // The session is read-only in any case, and cannot be made so twice.
      if (name !== 'readonly') settings[name] = value.value;
      if (code[at + 3]?.text !== ',') break;
    }
  }
  return settings;
};

/** The format that the query itself names, for the header of the answer. */
const formatOf = (code: readonly Token[]): string | null => {
  const at = code.findLastIndex(({ kind, value }) => kind === 'word' && value.toLowerCase() === 'format');
  const name = at === -1 ? undefined : code[at + 1];
  return name?.kind === 'word' ? name.value : null;
};
