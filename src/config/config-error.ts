import { PermanentError } from '../errors.ts';

/** One mistake. Whoever writes `seen` keeps secrets out of it; null where there is nothing to show or it must not be shown. */
export type ConfigProblem = {
  /** Where: a path of the file such as models[1].provider.baseUrl, an environment variable, or the file itself. */
  readonly where: string;
  /** Line in the file, from 1. */
  readonly line?: number | undefined;
  readonly expected: string;
  readonly seen: string | null;
};

/** All mistakes of a configuration, a policy or a price list, at once, in one message that a person can act on. */
export class ConfigError extends PermanentError {
  readonly source: string;
  readonly problems: readonly ConfigProblem[];
  constructor(source: string, problems: readonly ConfigProblem[], what: 'configuration' | 'policy' | 'price list' = 'configuration') {
    const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
    super(`invalid-${what.replace(' ', '-')}`, [`The ${what} has ${count} (${source}):`, ...problems.map(inWords)].join('\n'));
    this.source = source;
    this.problems = problems;
  }
}

const inWords = ({ where, line, expected, seen }: ConfigProblem): string =>
  `  ${where}${line === undefined ? '' : ` (line ${line})`}: expected ${expected}${seen === null ? '' : `, got ${seen}`}`;

const shownCharacters = 60;

/** A value as it may be shown: on one line, shortened, without credentials in addresses. */
export const show = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a group of keys';
  // JSON would call it null.
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : String(value);
  const text = JSON.stringify(typeof value === 'string' ? value.replace(/:\/\/[^/?#\s]*@/g, '://(hidden)@') : value);
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}... (${text.length} characters)`;
};
