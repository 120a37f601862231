import type { PolicyContent } from '../../domain/routing/policy-version.ts';
import type { LogHeader } from './log-format.ts';

type Arms = PolicyContent['arms'];

/**
 * The arms that a policy of the yard may choose among in a file of requests: those of the header, in its order, and those of the records that it does not name. Of the latter nothing is known but that they were chosen: they take any request,
 * and what they cost stands with the records.
 */
export const armsOfLog = ({ arms }: Pick<LogHeader, 'arms'>, seen: readonly string[]): Arms => {
  const declared = new Set(arms?.map(({ arm }) => arm));
  return [...(arms ?? []), ...seen.filter((arm) => !declared.has(arm)).map(takesAnything)];
};

/** An arm of which the name alone is known. */
export const takesAnything = (arm: string): Arms[number] => ({
  arm,
  model: arm,
  enabled: true,
  contextTokens: Number.MAX_SAFE_INTEGER,
  price: null,
  lacks: [],
});
