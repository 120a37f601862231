/**
 * Cuts ClickHouse SQL into tokens, as far as a guard and a splitter of statements need it: what is text, what is a name, what is code. It follows
 * src/Parsers/Lexer.cpp of ClickHouse; where the two could differ it refuses, because a difference is what an attacker looks for.
 * Outside quotes and comments only ASCII is accepted (the engine also knows typographic quotes and spaces; we do not).
 * Law, tested: the texts of all tokens, joined, are the input.
 */
export type Token = {
  readonly kind: 'space' | 'comment' | 'word' | 'quoted-name' | 'text' | 'number' | 'symbol';
  /** As it stands in the query. */
  readonly text: string;
  /** What a name or a text says once its quotes and escapes are gone; of other tokens the text itself. */
  readonly value: string;
};

export type Tokens = { readonly kind: 'tokens'; readonly tokens: readonly Token[] } | { readonly kind: 'refused'; readonly reason: string };

export const tokensOf = (sql: string): Tokens => {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length;) {
    const token = tokenAt(sql, at);
    if (typeof token === 'string') return { kind: 'refused', reason: `${token} at character ${at + 1}` };
    tokens.push(token);
    at += token.text.length;
  }
  return { kind: 'tokens', tokens };
};

const patterns = {
  space: /[ \t\n\v\f\r]+/y,
  // Inside a word a dollar sign is a letter like any other.
  word: /[A-Za-z_][A-Za-z0-9_$]*/y,
  number: /(?:0[xX][0-9A-Fa-f_]+|0[bB][01_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_$])/y,
  lineComment: /(?:--|\/\/|#[ !])[^\n]*/y,
  heredoc: /\$[A-Za-z0-9_]*\$/y,
} as const;

const matchAt = (pattern: RegExp, sql: string, at: number): string | null => {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? null;
};

const plain = (kind: Token['kind'], text: string): Token => ({ kind, text, value: text });

/** The token at this place, or what is wrong with it. */
const tokenAt = (sql: string, at: number): Token | string => {
  const space = matchAt(patterns.space, sql, at);
  if (space !== null) return plain('space', space);
  const comment = matchAt(patterns.lineComment, sql, at);
  if (comment !== null) return plain('comment', comment);
  if (sql.startsWith('/*', at)) return blockComment(sql, at);
  const word = matchAt(patterns.word, sql, at);
  if (word !== null) return plain('word', word);
  const number = matchAt(patterns.number, sql, at);
  if (number !== null) return plain('number', number);
  const first = sql.charAt(at);
  if (first >= '0' && first <= '9') return 'a name that begins with a digit (put it in backticks) or a number that is none';
  if (first === "'") return quoted(sql, at, 'text');
  if (first === '`' || first === '"') return quoted(sql, at, 'quoted-name');
  if (first === '$') return heredoc(sql, at);
  const code = first.charCodeAt(0);
  if (code <= 0x20 || code >= 0x7f) return 'a character that is neither ASCII nor inside quotes';
  return plain('symbol', first);
};

/** Comments nest. */
const blockComment = (sql: string, from: number): Token | string => {
  let depth = 0;
  for (let at = from; at < sql.length;) {
    if (sql.startsWith('/*', at)) {
      depth += 1;
      at += 2;
    } else if (sql.startsWith('*/', at)) {
      depth -= 1;
      at += 2;
      if (depth === 0) return plain('comment', sql.slice(from, at));
    } else at += 1;
  }
  return 'a comment that does not end';
};

/** A quote inside is doubled or follows a backslash; a backslash takes the next character, whatever it is. */
const quoted = (sql: string, from: number, kind: 'text' | 'quoted-name'): Token | string => {
  const quote = sql.charAt(from);
  let value = '';
  for (let at = from + 1; at < sql.length; at++) {
    const character = sql.charAt(at);
    if (character === '\\') {
      at += 1;
      value += sql.charAt(at);
    } else if (character !== quote) value += character;
    else if (sql.charAt(at + 1) === quote) {
      at += 1;
      value += quote;
    } else return { kind, text: sql.slice(from, at + 1), value };
  }
  return 'a quote that does not end';
};

const heredoc = (sql: string, from: number): Token | string => {
  const tag = matchAt(patterns.heredoc, sql, from);
  const end = tag === null ? -1 : sql.indexOf(tag, from + tag.length);
  if (tag === null || end === -1) return 'a dollar sign that begins no text';
  return { kind: 'text', text: sql.slice(from, end + tag.length), value: sql.slice(from + tag.length, end) };
};

/** Code without spaces and comments. */
export const codeOf = (tokens: readonly Token[]): readonly Token[] => tokens.filter(({ kind }) => kind !== 'space' && kind !== 'comment');

/** The statements of a file, without empty ones. */
export const statementsOf = (tokens: readonly Token[]): readonly string[] => {
  const statements: Token[][] = [[]];
  for (const token of tokens) {
    if (token.text === ';') statements.push([]);
    else statements.at(-1)?.push(token);
  }
  return statements
    .filter((statement) => codeOf(statement).length > 0)
    .map((statement) =>
      statement
        .map(({ text }) => text)
        .join('')
        .trim(),
    );
};
