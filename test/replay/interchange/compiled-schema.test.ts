import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { recordSchema } from '../../../src/replay/interchange/log-format.ts';
import { compiledRecordSchema } from '../../../src/replay/interchange/read-log.ts';
import type { LoggedDecision } from '../../../src/replay/logged/logged-decision.ts';
import { requestRecord, slotRecord } from './support/records.ts';

/** What the reader checks lines with is made of the schema; it must say of every line what the schema says: the same value, or the same mistakes. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Place = { readonly parent: Json[] | Record<string, Json>; readonly key: string };

const wholeRecord = fc
  .record({ make: fc.constantFrom(requestRecord, (i: number) => slotRecord(i)), i: fc.nat(9_000) })
  .map(({ make, i }) => JSON.parse(JSON.stringify(make(i))) as Record<string, Json>);

/** Each place of the record, the innermost too. */
const placesOf = (value: Json): readonly Place[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.keys(value).flatMap((key) => [{ parent: value, key }, ...placesOf((value as Readonly<Record<string, Json>>)[key] ?? null)]);

/** Where values are looked at, and beside it. */
const edges = fc.constantFrom<Json[]>(
  ...[0, -0, 1, -1, 0.5, 1.5, 1e-7, 1 - 1e-9, 1e12, 1e13, 1e300, -1e-300, 2 ** 53, 253_402_300_799_999, 253_402_300_800_000, 65_536],
  ...['', ' ', 'all', 'a'.repeat(64), 'a'.repeat(1_025), 'ACME', '0.5', '__proto__', 'ä', 'request', 'slot', 'json', 'de'],
  ...[null, true, false, [], {}, [1], ['a', 'a'], { kind: 'slot', slot: 0 }, { arms: ['a'], propensities: [1] }],
);
const anything = fc.oneof({ weight: 3, arbitrary: edges }, { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<Json> });
const mutation = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace', 'remove', 'add', 'nudge', 'reserved'),
  value: anything,
  key: fc.oneof(fc.constantFrom('other', 'constructor', 'toString', 'tenant'), fc.string()),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;

const mutate = (record: Json, { at, how, value, key }: Mutation): void => {
  const places = placesOf(record);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return;
  const parent = place.parent as Record<string, Json>;
  const old = parent[place.key];
  if (how === 'replace') parent[place.key] = value;
  else if (how === 'remove') {
    if (Array.isArray(parent)) parent.splice(Number(place.key), 1);
    else Reflect.deleteProperty(parent, place.key);
  } else if (how === 'nudge')
    parent[place.key] = typeof old === 'number' ? old * (1 + 1e-6) + 1e-7 : typeof old === 'string' ? `${old} ` : value;
  else
    Object.defineProperty(parent, how === 'reserved' ? '__proto__' : key, { value, enumerable: true, writable: true, configurable: true });
};

type Outcome = { readonly value: unknown } | { readonly issues: readonly (readonly [string, readonly PropertyKey[], string])[] };
const outcomeOf = (schema: z.ZodType<LoggedDecision>, json: Json): Outcome => {
  const read = schema.safeParse(json, { reportInput: true });
  return read.success ? { value: read.data } : { issues: read.error.issues.map(({ code, path, message }) => [code, path, message]) };
};

/** What a line of text would hold. */
const asLine = (record: Json): Json => JSON.parse(JSON.stringify(record)) as Json;

const agreement = (schema: z.ZodType<LoggedDecision>, seen = { passed: 0, refused: 0 }) =>
  fc.property(wholeRecord, fc.array(mutation, { maxLength: 3 }), (record, mutations) => {
    for (const one of mutations) mutate(record, one);
    const line = asLine(record);
    const expected = outcomeOf(recordSchema, line);
    if ('value' in expected) seen.passed++;
    else seen.refused++;
    expect(outcomeOf(schema, line)).toStrictEqual(expected);
  });

describe('the compiled schema of records', () => {
  it('passes what the schema passes, as it is', () => {
    for (let i = 0; i < 500; i++)
      for (const record of [requestRecord(i), slotRecord(i)]) {
        const read = compiledRecordSchema.safeParse(asLine(record as unknown as Json));
        expect(read.success && read.data).toEqual(record);
      }
  });

  it('says of records with anything in any place what the schema says', () => {
    const seen = { passed: 0, refused: 0 };
    fc.assert(agreement(compiledRecordSchema, seen), { numRuns: 4_000, seed: 20_260_501 });
    // Neither answer is given to all of them.
    expect(Math.min(seen.passed, seen.refused)).toBeGreaterThan(600);
  });

  it('would be found out if it left out the rule about candidates, or a bound', () => {
    const { shape } = recordSchema as unknown as z.ZodObject;
    const wrong = [z.object(shape), z.object({ ...shape, atMs: z.number().min(0) })];
    for (const schema of wrong)
      expect(
        fc.check(agreement(z.compile(schema, { strict: true }) as unknown as typeof recordSchema), { numRuns: 4_000, seed: 20_260_501 })
          .failed,
      ).toBe(true);
  });

  it('says of any JSON what the schema says', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(outcomeOf(compiledRecordSchema, value as Json)).toStrictEqual(outcomeOf(recordSchema, value as Json));
      }),
      { numRuns: 500, seed: 20_260_502 },
    );
  });
});
