import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogue, decodeEvents, type EventType } from '../../src/events/index.ts';
import { upcast, upcasters, type Upcasters } from '../../src/events/upcasters.ts';
import { storedEvent } from '../support/stored-events.ts';

const folder = new URL('./fixtures/', import.meta.url);
const types = Object.keys(catalogue) as EventType[];
const versions = types.flatMap((type) => Array.from({ length: catalogue[type].version }, (_, index) => [type, index + 1] as const));

/** The log holds events for years. What it held in any version must be readable for ever. */
describe('an event stored in each version there ever was', () => {
  it.each(versions)('%s, version %i, is kept here and can be read', (type, version) => {
    const file = new URL(`${type}.v${version}.json`, folder);
    expect(existsSync(file), `expected a stored event in ${file.pathname}`).toBe(true);
    const stored = storedEvent(type, version) as Record<string, unknown>;
    expect(stored).toMatchObject({ type, schemaversion: version, dataschema: `urn:switchyard:event:${type}:${version}` });
    const decoded = decodeEvents(new TextEncoder().encode(JSON.stringify(stored)));
    if (decoded.kind === 'poison') throw new Error(`expected an event, got ${decoded.reason}: ${decoded.detail}`);
    expect(decoded.events[0]).toMatchObject({ type, schemaversion: catalogue[type].version });
    if (version === catalogue[type].version) expect(decoded.events[0]).toEqual(stored);
  });

  it('is of the catalogue: no file is left of a type or version that is gone', () => {
    expect(readdirSync(folder).sort()).toEqual(versions.map(([type, version]) => `${type}.v${version}.json`).sort());
  });

  it('is raised by an upcaster for each step', () => {
    for (const [type, version] of versions) expect(upcast({}, type, version, version)).toEqual({});
    for (const type of types)
      for (let version = 1; version < catalogue[type].version; version++) expect(upcasters[type]?.[version]).toBeTypeOf('function');
    expect(Object.keys(upcasters).filter((type) => !Object.hasOwn(catalogue, type))).toEqual([]);
  });
});

describe('raising', () => {
  const known: Upcasters = {
    'cache.stored': { 1: ({ size, ...data }) => ({ ...data, bytes: size }), 2: (data) => ({ ...data, tier: 'l1' }) },
  };

  it('goes step by step and leaves the stored data as it was', () => {
    const stored = Object.freeze({ size: 3 });
    expect(upcast(stored, 'cache.stored', 1, 3, known)).toEqual({ bytes: 3, tier: 'l1' });
    expect(upcast({ bytes: 3 }, 'cache.stored', 2, 3, known)).toEqual({ bytes: 3, tier: 'l1' });
  });

  it('says so where a step is missing', () => {
    expect(upcast({}, 'cache.stored', 1, 4, known)).toBeNull();
    expect(upcast({}, 'cache.hit', 1, 2, known)).toBeNull();
  });
});

describe('what an event of version 1 says today', () => {
  const raised = (type: EventType): Record<string, unknown> => {
    const decoded = decodeEvents(new TextEncoder().encode(JSON.stringify(storedEvent(type, 1))));
    if (decoded.kind === 'poison') throw new Error(decoded.detail);
    return decoded.events[0].data;
  };

  it('route.decided: a Beta posterior for each candidate, no canary, no prices, no conversation', () => {
    expect(raised('route.decided')).toMatchObject({
      policy: { id: 'thompson', version: '5d41402abc4b2a76', canary: false, trial: null },
      candidates: [
        {
          arm: 'sim-small',
          posterior: { family: 'beta', alpha: 31.5, beta: 24.5 },
          expectedCostNanoUsd: null,
          expectedLatencyMs: null,
          adjustment: 0,
          floor: 0.01,
          propensity: 0.12,
        },
        { arm: 'sim-medium' },
        { arm: 'sim-large' },
      ],
      features: { version: 1 },
      decidedAt: null,
      pacing: null,
      conversation: null,
      needs: [],
    });
  });

  it('policy.activated: what decided then, as a policy without decay, trials or changes of arm', () => {
    const { spec, arms, origin, change } = raised('policy.activated');
    expect(spec).toEqual({
      kind: 'beta-bernoulli-thompson',
      id: 'thompson',
      floor: 0.01,
      prior: { alpha: 1, beta: 1 },
      memory: { halfLifeSeconds: null, falseAlarm: null },
      trial: { requests: 0, share: 0 },
      switchingCost: 0,
    });
    expect(arms).toHaveLength(4);
    expect((arms as object[])[0]).toEqual({
      arm: 'sim-small',
      model: 'sim-small',
      enabled: true,
      contextTokens: 32_000,
      price: null,
      lacks: [],
    });
    expect({ origin, change }).toEqual({ origin: 'configuration', change: 0 });
  });

  it('reward.recorded: evidence about all requests, with squares that overlook no variance', () => {
    const { policy, decidedAt, cells, evidence } = raised('reward.recorded');
    expect({ policy, decidedAt, cells }).toEqual({ policy: null, decidedAt: null, cells: ['all'] });
    expect(evidence).toEqual({
      trials: 1,
      measured: 0,
      failures: 0,
      success: 1_000_000,
      streaming: 948_000,
      cache: 0,
      cost: 946_800,
      successSquare: 1_000_000,
      streamingSquare: 948_000,
      cacheSquare: 0,
      costSquare: 946_800,
      costNanoUsd: 0,
      spendSquare: 0,
      latencyMs: 0,
      promptTokens: 0,
      completionTokens: 0,
    });
  });
});
