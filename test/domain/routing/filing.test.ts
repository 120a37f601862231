import { describe, expect, it } from 'vitest';
import { cellsFor, filingOf } from '../../../src/domain/routing/filing.ts';
import { decided, features } from '../support/events.ts';
import { request } from '../support/routing.ts';

const old = { ...features, version: 1 } as typeof features;

describe('where evidence is filed', () => {
  it('is under the kinds that the request belongs to, all requests first', () => {
    const cells = cellsFor(request);
    expect(cells[0]).toBe('all');
    expect(cells).toContain('kind:short-question');
    expect(new Set(cells).size).toBe(cells.length);
    expect(cellsFor({ ...request, kind: 'translation', opening: 8 }).slice(1)).not.toEqual(cells.slice(1));
  });

  it('is under all requests alone where no kinds were told apart', () => {
    expect(cellsFor(old)).toEqual(['all']);
  });

  it('is at the moment of the decision, by the policy that decided', () => {
    const policy = { id: 'thompson', version: 'w', canary: true, trial: 4 };
    const decidedAt = '2026-03-01T00:00:00.000Z';
    expect(filingOf(decided('r', { policy, decidedAt, features: request }))).toEqual({ policy, decidedAt, cells: [...cellsFor(request)] });
    // Where the decision names no moment, the event has one.
    const event = decided('r', { policy, decidedAt: null, features: old });
    expect(filingOf(event)).toEqual({ policy, decidedAt: event.time, cells: ['all'] });
  });
});
