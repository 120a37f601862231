import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../src/bus/event-log.ts';
import { catalogue, decodeEvents, sequence } from '../../src/events/index.ts';
import { encodeEntry } from '../../src/projections/encode-entry.ts';
import { rowsOf } from '../../src/projections/rows.ts';
import { completed, decided, failed, hit, judged, noEvidence, rewarded, stored } from '../support/projection-events.ts';

const storedAtMs = Date.UTC(2026, 4, 6, 7, 8, 9, 10);
const entry = (events: Extract<LogEntry, { kind: 'events' }>['events'], at = 7): LogEntry => ({
  kind: 'events',
  sequence: sequence(at),
  storedAtMs,
  events,
});

describe('messages to rows', () => {
  test('the envelope, the position, and the whole of data', () => {
    const event = decided(3);
    expect(rowsOf(entry([event]), 2)).toEqual([
      expect.objectContaining({
        stream_epoch: 2,
        sequence: 7,
        event_index: 0,
        stored_at: '2026-05-06 07:08:09.010',
        id: event.id,
        type: 'route.decided',
        time: '2026-01-01 00:00:00.300',
        tenant: 'default',
        request_id: 'request-3',
        data: event.data,
      }),
    ]);
  });

  test('the events of one message are its rows, in order', () => {
    const rows = rowsOf(entry([completed(1), rewarded(1), stored(1)]), 1);
    expect(rows.map(({ event_index, type }) => `${event_index} ${type}`)).toEqual([
      '0 response.completed',
      '1 reward.recorded',
      '2 cache.stored',
    ]);
  });

  test.each([
    [
      decided(1),
      { arm: 'arm-b', model: 'model-b', propensity: 0.25, policy_id: 'thompson', state_sequence: 1, cache_state: 'miss', draw: 0.5 },
    ],
    [
      completed(1),
      {
        arm: 'arm-b',
        outcome: 'completed',
        origin: 'provider',
        latency_ms: 101,
        cost_nano_usd: 2_000,
        completion_tokens: 60,
        simulated: true,
      },
    ],
    [
      failed(1, { code: 'provider_timeout', arm: null, model: null }),
      { arm: '', model: '', outcome: 'provider_timeout', cost_nano_usd: 500 },
    ],
    [
      rewarded(1, {
        revision: 2,
        cause: 'feedback',
        policy: { id: 'thompson', version: 'v', canary: true, trial: 3 },
        decidedAt: '2026-01-02T03:04:05.678Z',
        cells: ['all', 'kind:other'],
        evidence: { ...noEvidence, success: -5, streaming: 6, latencyMs: 70 },
      }),
      {
        revision: 2,
        cause: 'feedback',
        success_micro: 1_000_000,
        policy_id: 'thompson',
        canary: true,
        trial: 3,
        decided_at: '2026-01-02 03:04:05.678',
        cells: ['all', 'kind:other'],
        evidence_trials: 0,
        evidence_success: -5,
        evidence_streaming: 6,
        evidence_latency_ms: 70,
      },
    ],
    [hit(1, 0), { arm: 'arm-a', saved_cost_nano_usd: 1_000, cache_age_ms: 1_500, cache_state: 'exact' }],
    [judged(1), { feedback_id: 'feedback-1', feedback_kind: 'thumb', score_micro: 250_000 }],
  ] as const)('typed columns of $type', (event, columns) => {
    expect(rowsOf(entry([event]), 1)[0]).toMatchObject(columns);
  });

  test('poison has a row of its own', () => {
    const rows = rowsOf(
      {
        kind: 'poison',
        sequence: sequence(9),
        storedAtMs,
        subject: 'switchyard.event.x.y',
        reason: 'not-json',
        detail: 'oh',
        body: new Uint8Array(3),
      },
      4,
    );
    expect(rows).toEqual([expect.objectContaining({ stream_epoch: 4, sequence: 9, event_index: 0, type: '_poison', id: 'poison:4:9' })]);
    expect(rows[0]?.data).toEqual({ subject: 'switchyard.event.x.y', reason: 'not-json', detail: 'oh', bytes: 3 });
  });

  test('every stored event of the catalogue has a row, and the fixtures cover the catalogue', () => {
    const folder = path.join(import.meta.dirname, '..', 'events', 'fixtures');
    const types = readdirSync(folder).map((file) => {
      const decoded = decodeEvents(readFileSync(path.join(folder, file)));
      if (decoded.kind !== 'events') throw new Error(`${file}: ${decoded.detail}`);
      const [row] = rowsOf(entry(decoded.events), 1);
      expect(row?.data).toEqual(decoded.events[0].data);
      return row?.type;
    });
    expect(new Set(types)).toEqual(new Set(Object.keys(catalogue)));
  });

  test('converting twice gives the same text, one line a row', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.string({ maxLength: 200 }), fc.integer({ min: 1 }), (i, detail, epoch) => {
        const message = entry([failed(i, { detail }), rewarded(i)]);
        const once = encodeEntry(message, epoch);
        expect(encodeEntry(message, epoch)).toEqual(once);
        expect(once.lines.split('\n')).toHaveLength(3);
        expect(once.rows).toBe(2);
      }),
      { seed: 30 },
    );
  });
});
