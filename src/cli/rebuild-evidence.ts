import type { EventLog, LogBounds } from '../bus/event-log.ts';
import { noEvidence, type ArmEvidence, type Evidence, type EvidenceAt } from '../domain/routing/evidence.ts';
import { evolveRouter, routerStateOf } from '../domain/routing/router.ts';
import { sequence } from '../events/index.ts';

/** Evidence at one sequence, folded again the way a router does when it starts, and what it was made from. */
export type RebuiltEvidence = EvidenceAt & {
  readonly from: 'clickhouse' | 'log';
  /** How far the sums of ClickHouse reached; null when the log alone was read. */
  readonly clickhouseSequence: number | null;
  readonly entriesRead: number;
  readonly tookMs: number;
};

export const rebuildEvidence = async (options: {
  readonly log: EventLog;
  readonly bounds: LogBounds;
  /** The state is that after exactly this sequence. */
  readonly to: number;
  /** Sums of ClickHouse up to at most a sequence, or null when they cannot be had. */
  readonly sums: (upTo: number) => Promise<EvidenceAt | null>;
  readonly signal: AbortSignal;
  readonly onProgress: (entries: number, of: number) => void;
}): Promise<RebuiltEvidence> => {
  const { log, bounds, to, signal } = options;
  const startedAtMs = performance.now();
  const summed = await options.sums(to);
  const base = summed ?? { sequence: Math.min(to, bounds.first - 1), evidence: new Map<string, ArmEvidence>() };
  const state = routerStateOf(base);
  const entries = to - base.sequence;
  let entriesRead = 0;
  if (entries > 0)
    for await (const entry of log.read({ from: sequence(base.sequence + 1), to: sequence(to), signal, checks: 'envelope' })) {
      evolveRouter(state, { sequence: entry.sequence, events: entry.kind === 'events' ? entry.events : [] });
      if (++entriesRead % 1_000 === 0) options.onProgress(entriesRead, entries);
    }
  signal.throwIfAborted();
  return {
    sequence: state.sequence,
    evidence: state.evidence,
    from: summed === null ? 'log' : 'clickhouse',
    clickhouseSequence: summed?.sequence ?? null,
    entriesRead,
    tookMs: performance.now() - startedAtMs,
  };
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
