import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  catalogue,
  idempotencyIds,
  requestIdSchema,
  subjects,
  systemTenant,
  tenantSchema,
  type EventType,
} from '../../src/events/index.ts';

const tenant = tenantSchema.parse('a');
const types = Object.keys(catalogue) as EventType[];
const anyTenant = fc.stringMatching(/^[a-z0-9_][a-z0-9_-]{0,62}$/).map((name) => tenantSchema.parse(name));

it('an event is on switchyard.event.<tenant>.<concern>.<what happened>, for each tenant and type', () => {
  fc.assert(
    fc.property(anyTenant, fc.constantFrom(...types), (of, type) => {
      expect(subjects.event({ tenant: of, type }).split('.')).toEqual(['switchyard', 'event', of, ...type.split('.')]);
    }),
    { seed: 25 },
  );
});

it('no tenant can leave its token: wildcards, dots, spaces and control characters are no names', () => {
  for (const name of ['', '*', '>', 'a.b', 'a b', 'a\n', 'A', 'ä', '-a', 'a'.repeat(64)])
    expect(tenantSchema.safeParse(name).success).toBe(false);
  expect(tenantSchema.safeParse('a'.repeat(63)).success).toBe(true);
  expect(subjects.request(systemTenant)).toBe('switchyard.request._system');
});

it('a request id is safe in headers and ids', () => {
  for (const id of ['', ' a', 'a b', 'a\r\nX: y', 'a*', 'a>', '"a"', '.a', 'a'.repeat(129)])
    expect(requestIdSchema.safeParse(id).success).toBe(false);
  for (const id of ['a', '0194bd2a-7c51-7b0e-9d3f-6a1f0c2e8b44', 'A.b_c:d@e/f+g=h-i'])
    expect(requestIdSchema.safeParse(id).success).toBe(true);
});

it('subjects of requests, work, events and dead letters do not overlap', () => {
  const roots = [subjects.request(tenant), subjects.work(tenant), subjects.feedback(tenant), subjects.allEvents, subjects.allDead].map(
    (subject) => subject.split('.')[1],
  );
  expect(new Set(roots).size).toBe(roots.length);
});

it('each concern of a request has an idempotency id of its own, and so has each revision and feedback', () => {
  const ids = [
    idempotencyIds.decision(tenant, 'r'),
    idempotencyIds.outcome(tenant, 'r'),
    idempotencyIds.revision(tenant, 'r', 1),
    idempotencyIds.revision(tenant, 'r', 2),
    idempotencyIds.feedback(tenant, 'r', 'f'),
    idempotencyIds.feedback(tenant, 'r', 'g'),
    idempotencyIds.decision(tenantSchema.parse('b'), 'r'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});
