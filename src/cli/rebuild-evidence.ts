import type { EventLog, LogBounds } from '../bus/event-log.ts';
import { noEvidence, type ArmEvidence, type Evidence, type EvidenceAt } from '../domain/routing/evidence.ts';
import { explainError, readClickhouse } from '../projections/clickhouse.ts';
import { evidenceFromClickhouse, foldTail } from '../projections/evidence.ts';
import { usageError } from './exit-codes.ts';
import type { Located } from './locate.ts';
import { grouped } from './numbers.ts';

/** Evidence after exactly one sequence, folded again the way a router does when it starts, and what it was made from. */
export type RebuiltEvidence = EvidenceAt & {
  readonly from: 'clickhouse' | 'log';
  /** How far the sums of ClickHouse reached; null when the log alone was read. */
  readonly clickhouseSequence: number | null;
  readonly entriesRead: number;
  readonly tookMs: number;
};

export type RebuildParts = {
  readonly located: Located;
  readonly log: EventLog;
  readonly bounds: LogBounds;
  readonly to: number;
  readonly logAlone: boolean;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
};

export const rebuildEvidence = async (parts: RebuildParts): Promise<RebuiltEvidence> => {
  const { log, bounds, to, signal } = parts;
  const startedAtMs = performance.now();
  const sums = parts.logAlone ? null : await sumsOfClickhouse(parts);
  if (sums === null && to < bounds.first - 1)
    throw usageError(`--at: expected a place in the log, which begins at ${bounds.first}; got ${to}`);
  if (sums === null && bounds.first > 1) parts.note(`the log begins at ${bounds.first}: rewards before it are known to ClickHouse alone`);
  const base = sums ?? { sequence: bounds.first - 1, evidence: new Map<string, ArmEvidence>() };
  if (to - base.sequence > manyMessages) parts.note(`folding ${grouped(to - base.sequence)} messages of the log`);
  const { sequence, evidence } = await foldTail(log, base, { to, signal });
  signal.throwIfAborted();
  return {
    sequence,
    evidence,
    from: sums === null ? 'log' : 'clickhouse',
    clickhouseSequence: sums?.sequence ?? null,
    entriesRead: sequence - base.sequence,
    tookMs: performance.now() - startedAtMs,
  };
};

/** Takes seconds: whoever waits is told what for. */
const manyMessages = 50_000;

/** What ClickHouse holds up to at most `to`. Null, with a note that says why, when it cannot be asked or does not fit to this log: the log alone is enough. */
const sumsOfClickhouse = async ({ located, bounds, to, note }: RebuildParts): Promise<EvidenceAt | null> => {
  const { settings, sql } = located;
  const { database, user, queryTimeoutMs } = settings.config.clickhouse;
  const address = { kind: 'server', url: sql.url, database, user, password: settings.secrets.clickhousePassword } as const;
  const clickhouse = readClickhouse(address, { requestTimeoutMs: queryTimeoutMs });
  try {
    const sums = await evidenceFromClickhouse(clickhouse, { atSequence: to });
    if (sums?.streamCreatedAt !== bounds.createdAt)
      note('ClickHouse holds another log than this one, or nothing yet: the log alone is read');
    else if (sums.sequence < Math.min(to, bounds.first - 1))
      note(`ClickHouse ends at ${sums.sequence} and the log begins at ${bounds.first}: the log alone is read`);
    else return sums;
    return null;
  } catch (error) {
    note(`ClickHouse at ${sql.url} (${sql.source}) cannot be asked, the log alone is read: ${explainError(error)}`);
    return null;
  } finally {
    await clickhouse.close();
  }
};

export type EvidenceDifference = {
  readonly arm: string;
  readonly field: keyof ArmEvidence;
  readonly rebuilt: number;
  readonly live: number;
};

/** Where two states differ, to the last digit. An arm that one of them does not know has no evidence there. */
export const differencesOf = (rebuilt: Evidence, live: Evidence): readonly EvidenceDifference[] =>
  [...new Set([...rebuilt.keys(), ...live.keys()])].toSorted().flatMap((arm) => {
    const a = rebuilt.get(arm) ?? noEvidence;
    const b = live.get(arm) ?? noEvidence;
    return fields.filter((field) => a[field] !== b[field]).map((field) => ({ arm, field, rebuilt: a[field], live: b[field] }));
  });

const fields = ['trials', 'success', 'streaming', 'cache', 'cost'] as const satisfies readonly (keyof ArmEvidence)[];
