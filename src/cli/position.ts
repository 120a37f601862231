import type { EventLog, LogBounds } from '../bus/event-log.ts';
import { sequence, type Sequence } from '../events/index.ts';
import { usageError } from './exit-codes.ts';

/** A place in the log as a person names it: a sequence, a moment, or a while ago. */
export type Position = { readonly kind: 'sequence'; readonly sequence: Sequence } | { readonly kind: 'time'; readonly timeMs: number };

export const positionHelp = 'a log sequence (4711), a time (2026-05-01T09:00:00Z) or a while ago (90s, 15m, 2h, 3d)';

/** nats-server counts nanoseconds in 64 bits; beyond that it begins at the other end, in silence. */
const lastTimeMs = Date.UTC(2262, 0);

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const parsePosition =
  (option: string, nowMs: () => number = Date.now) =>
  (text: string): Position => {
    if (/^\d{1,15}$/.test(text)) return { kind: 'sequence', sequence: sequence(Number(text)) };
    const ago = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text);
    if (ago !== null) return { kind: 'time', timeMs: Math.max(0, nowMs() - Number(ago[1]) * unitMs[ago[2] as keyof typeof unitMs]) };
    // Date.parse alone takes almost anything for a date.
    const timeMs = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:?\d{2})?)?$/.test(text) ? Date.parse(text) : NaN;
    if (!(timeMs >= 0 && timeMs <= lastTimeMs)) throw usageError(`${option}: expected ${positionHelp}, got "${text}"`);
    return { kind: 'time', timeMs };
  };

/** The first sequence at or after the position; one beyond the end when the log has nothing so late. */
export const firstFrom = async (log: Pick<EventLog, 'sequenceAt'>, bounds: LogBounds, position: Position): Promise<Sequence> => {
  if (position.kind === 'sequence') return sequence(Math.max(position.sequence, bounds.first));
  return (await log.sequenceAt(position.timeMs)) ?? sequence(bounds.last + 1);
};

/** The last sequence at or before the position: a state "at" a moment has seen everything stored before it. */
export const lastUpTo = async (log: Pick<EventLog, 'sequenceAt'>, bounds: LogBounds, position: Position): Promise<Sequence> => {
  if (position.kind === 'sequence') return sequence(Math.min(position.sequence, bounds.last));
  const later = await log.sequenceAt(position.timeMs);
  return later === null ? bounds.last : sequence(later - 1);
};
