import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventLog, LogBounds } from '../../src/bus/event-log.ts';
import { sequence } from '../../src/events/index.ts';
import { CommandError } from '../../src/cli/exit-codes.ts';
import { firstFrom, lastUpTo, parsePosition } from '../../src/cli/position.ts';

const nowMs = Date.parse('2026-05-01T12:00:00Z');
const parse = parsePosition('--since', () => nowMs);

describe('a place in the log', () => {
  it.each([
    ['0', { kind: 'sequence', sequence: 0 }],
    ['4711', { kind: 'sequence', sequence: 4711 }],
    ['90s', { kind: 'time', timeMs: nowMs - 90_000 }],
    ['1.5h', { kind: 'time', timeMs: nowMs - 5_400_000 }],
    ['3d', { kind: 'time', timeMs: nowMs - 259_200_000 }],
    ['2026-05-01', { kind: 'time', timeMs: Date.parse('2026-05-01T00:00:00Z') }],
    ['2026-05-01T09:00:00.250Z', { kind: 'time', timeMs: Date.parse('2026-05-01T09:00:00.250Z') }],
    ['2026-05-01T09:00:00+02:00', { kind: 'time', timeMs: Date.parse('2026-05-01T07:00:00Z') }],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each(['', '-1', '1.5', 'now', '5 m', '5w', '2026-02-30T99:00Z', '1969-12-31', '2300-01-01', '9'.repeat(16)])(
    'refuses "%s" with a sentence',
    (text) => {
      expect(() => parse(text)).toThrow(CommandError);
    },
  );

  it('any text is a place or a mistake of the user', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const place = parse(text);
          return place.kind === 'sequence' ? Number.isSafeInteger(place.sequence) : Number.isFinite(place.timeMs);
        } catch (error) {
          return error instanceof CommandError;
        }
      }),
      { seed: 2 },
    );
  });
});

describe('in a log that holds 10 to 20, 15 stored at 1,000 ms', () => {
  const bounds: LogBounds = { first: sequence(10), last: sequence(20), createdAt: 'x' };
  const log = { sequenceAt: async (timeMs: number) => (timeMs > 1_000 ? null : sequence(15)) } as EventLog;

  it('begins within the log', async () => {
    expect(await firstFrom(log, bounds, parse('3'))).toBe(10);
    expect(await firstFrom(log, bounds, parse('12'))).toBe(12);
    expect(await firstFrom(log, bounds, { kind: 'time', timeMs: 1_000 })).toBe(15);
    expect(await firstFrom(log, bounds, { kind: 'time', timeMs: 1_001 })).toBe(21);
  });

  it('ends before what came at the moment or later', async () => {
    expect(await lastUpTo(log, bounds, parse('30'))).toBe(20);
    expect(await lastUpTo(log, bounds, { kind: 'time', timeMs: 1_000 })).toBe(14);
    expect(await lastUpTo(log, bounds, { kind: 'time', timeMs: 1_001 })).toBe(20);
  });
});
