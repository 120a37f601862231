import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogue, contentTypes, decodeEvents, encodeEvents, type EventType, type SwitchyardEvent } from '../../src/events/index.ts';
import { anyEvent, eventOf, optionalAttributes } from '../support/event-arbitrary.ts';
import { storedEvent } from '../support/stored-events.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const decision = storedEvent('route.decided', 2) as SwitchyardEvent;

describe('what is encoded comes back equal', () => {
  it.each(Object.keys(catalogue) as EventType[])('%s', (type) => {
    fc.assert(
      fc.property(eventOf(type), (event) => {
        const { body, contentType } = encodeEvents([event]);
        expect(contentType).toBe(contentTypes.single);
        expect(decodeEvents(body)).toEqual({ kind: 'events', events: [event] });
      }),
      { seed: 19, numRuns: 60 },
    );
  });

  it('several events in their order, as one batch', () => {
    fc.assert(
      fc.property(anyEvent, anyEvent, fc.array(anyEvent, { maxLength: 3 }), (first, second, more) => {
        const { body, contentType } = encodeEvents([first, second, ...more]);
        expect(contentType).toBe(contentTypes.batch);
        expect(decodeEvents(body)).toEqual({ kind: 'events', events: [first, second, ...more] });
      }),
      { seed: 20, numRuns: 40 },
    );
  });

  it('without the attributes that may be missing', () => {
    const bare = Object.fromEntries(Object.entries(decision).filter(([name]) => !optionalAttributes.includes(name)));
    expect(optionalAttributes).toEqual(['subject', 'causationid', 'traceparent']);
    expect(decodeEvents(bytes(JSON.stringify(bare)))).toEqual({ kind: 'events', events: [bare] });
  });

  it('without attributes that this version does not know: a later one may have added them', () => {
    expect(decodeEvents(bytes(JSON.stringify({ ...decision, later: 1, data: { ...decision.data, later: 1 } })))).toEqual({
      kind: 'events',
      events: [decision],
    });
  });
});

describe('what cannot be understood is poison with a reason, never a throw', () => {
  const without = (name: string) => JSON.stringify(Object.fromEntries(Object.entries(decision).filter(([key]) => key !== name)));
  const changed = (change: Record<string, unknown>) => JSON.stringify({ ...decision, ...change });

  it.each([
    ['no bytes', '', 'not-json'],
    ['no JSON', 'hello', 'not-json'],
    ['half an event', JSON.stringify(decision).slice(0, -10), 'not-json'],
    ['a number', '1', 'not-an-event'],
    ['null', 'null', 'not-an-event'],
    ['an empty object', '{}', 'not-an-event'],
    ['an empty batch', '[]', 'not-an-event'],
    ['a batch in a batch', `[[${JSON.stringify(decision)}]]`, 'not-an-event'],
    ['a batch with one bad event', `[${JSON.stringify(decision)},{}]`, 'not-an-event'],
    ['no data', without('data'), 'not-an-event'],
    ['no version', without('schemaversion'), 'not-an-event'],
    ['data that is a list', changed({ data: [] }), 'not-an-event'],
    ['version 0', changed({ schemaversion: 0 }), 'not-an-event'],
    ['half a version', changed({ schemaversion: 1.5 }), 'not-an-event'],
    ['a type from elsewhere', changed({ type: 'com.example.thing' }), 'unknown-type'],
    ['a type that every object has', changed({ type: 'constructor' }), 'unknown-type'],
    ['the prototype as type', changed({ type: '__proto__' }), 'unknown-type'],
    ['a version of tomorrow', changed({ schemaversion: 99 }), 'unknown-version'],
    ['no tenant', without('tenant'), 'invalid-event'],
    ['a tenant of two tokens', changed({ tenant: 'a.b' }), 'invalid-event'],
    ['another CloudEvents', changed({ specversion: '0.3' }), 'invalid-event'],
    ['a time without zone', changed({ time: '2026-01-31 12:00' }), 'invalid-event'],
    ['a probability of 2', changed({ data: { ...decision.data, propensity: 2 } }), 'invalid-event'],
    ['no candidates', changed({ data: { ...decision.data, candidates: [] } }), 'invalid-event'],
  ])('%s', (_what, text, reason) => {
    expect(decodeEvents(bytes(text))).toMatchObject({ kind: 'poison', reason });
  });

  it('bytes that are not UTF-8', () => {
    const body = bytes(JSON.stringify(decision));
    const broken = Uint8Array.from([...body.slice(0, 20), 0xff, 0xfe, ...body.slice(20)]);
    expect(decodeEvents(broken)).toMatchObject({ kind: 'poison', reason: 'not-json' });
  });

  it('a hundred thousand levels, in the way of a whole message and of a field', () => {
    const deep = (inner: string) => '['.repeat(100_000) + inner + ']'.repeat(100_000);
    expect(decodeEvents(bytes(deep('')))).toMatchObject({ kind: 'poison' });
    const nested = JSON.stringify({ ...decision, data: { ...decision.data, arm: 'DEEP' } }).replace('"DEEP"', deep(''));
    expect(decodeEvents(bytes(nested))).toMatchObject({ kind: 'poison', reason: 'invalid-event' });
  });

  it('a __proto__ key changes nothing', () => {
    const text = JSON.stringify(decision)
      .replace('{"specversion"', '{"__proto__":{"tenant":"evil"},"specversion"')
      .replace('"data":{', '"data":{"__proto__":{"arm":"evil"},');
    const decoded = decodeEvents(bytes(text));
    expect(decoded).toEqual({ kind: 'events', events: [decision] });
    expect(({} as Record<string, unknown>)['arm']).toBeUndefined();
    expect(decodeEvents(bytes(without('tenant').replace('{', '{"__proto__":{"tenant":"evil"},')))).toMatchObject({
      reason: 'invalid-event',
    });
  });

  it('any bytes and any JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        expect(decodeEvents(body).kind).toBe('poison');
      }),
      { seed: 21 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decodeEvents(bytes(JSON.stringify(value))).kind).toBe('poison');
      }),
      { seed: 22 },
    );
  });

  it('an event with one field replaced by anything: it decodes equal or is poison', () => {
    const fields = [...Object.keys(decision).map((key) => ['', key]), ...Object.keys(decision.data).map((key) => ['data', key])];
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.jsonValue(), ([where, key = ''], value) => {
        const mutant = where === 'data' ? { ...decision, data: { ...decision.data, [key]: value } } : { ...decision, [key]: value };
        const decoded = decodeEvents(bytes(JSON.stringify(mutant)));
        if (decoded.kind === 'events') expect(decoded.events).toEqual([JSON.parse(JSON.stringify(mutant))]);
        else expect(decoded.detail.length).toBeGreaterThan(0);
      }),
      { seed: 23, numRuns: 500 },
    );
  });
});

describe('checking the envelope alone', () => {
  it('gives the same events', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decodeEvents(encodeEvents([event]).body, {}, 'envelope')).toEqual({ kind: 'events', events: [event] });
      }),
      { seed: 24, numRuns: 100 },
    );
  });

  it('still refuses what is no event of the catalogue', () => {
    for (const text of ['', '[]', '{}', JSON.stringify({ ...decision, type: 'x' }), JSON.stringify({ ...decision, tenant: undefined })])
      expect(decodeEvents(bytes(text), {}, 'envelope').kind).toBe('poison');
  });
});
