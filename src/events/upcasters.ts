import type { EventType } from './catalogue.ts';

/**
 * Turns `data` of version n into version n+1. Old events are never edited in the log: they are raised while being read.
 * An entry is added with each new version, together with a stored fixture in test/events/fixtures.
 */
export type Upcaster = (data: Record<string, unknown>) => Record<string, unknown>;

export type Upcasters = { readonly [Type in EventType]?: { readonly [fromVersion: number]: Upcaster } };

export const upcasters: Upcasters = {
  'route.decided': {
    1: (data) => ({
      ...data,
      policy: { ...objectAt(data, 'policy'), canary: false, trial: null },
      candidates: listAt(data, 'candidates').map(({ alpha, beta, ...candidate }) => ({
        ...candidate,
        posterior: { family: 'beta', alpha, beta },
        expectedCostNanoUsd: null,
        expectedLatencyMs: null,
        adjustment: 0,
        floor: data['floor'],
      })),
      decidedAt: null,
      pacing: null,
      conversation: null,
      needs: [],
    }),
  },
  'policy.activated': {
    1: ({ kind, floor, prior, arms, ...data }) => ({
      ...data,
      spec: {
        kind,
        id: objectAt(data, 'policy')['id'],
        floor,
        prior,
        memory: { halfLifeSeconds: null, falseAlarm: null },
        trial: { requests: 0, share: 0 },
        switchingCost: 0,
      },
      arms: listAt({ arms }, 'arms').map((arm) => ({ ...arm, price: null, lacks: [] })),
      origin: 'configuration',
      change: 0,
    }),
  },
  'reward.recorded': {
    1: (data) => {
      const { trials, ...parts } = objectAt(data, 'evidence');
      // Squares were not kept; that of a part which is 0 or 1 is the part itself, and no variance is overlooked by taking the rest for such.
      const squares = {
        successSquare: parts['success'],
        streamingSquare: parts['streaming'],
        cacheSquare: parts['cache'],
        costSquare: parts['cost'],
      };
      const measures = {
        measured: 0,
        failures: data['cause'] === 'failure' ? 1 : 0,
        costNanoUsd: 0,
        spendSquare: 0,
        latencyMs: 0,
        promptTokens: 0,
        completionTokens: 0,
      };
      const learns = trials === 1 || data['cause'] === 'feedback';
      return {
        ...data,
        policy: null,
        decidedAt: null,
        cells: learns ? ['all'] : [],
        evidence: { trials, ...measures, ...parts, ...squares },
      };
    },
  },
};

type Data = Record<string, unknown>;
const objectAt = (data: Data, key: string): Data => (typeof data[key] === 'object' && data[key] !== null ? (data[key] as Data) : {});
const listAt = (data: Data, key: string): readonly Data[] => (Array.isArray(data[key]) ? (data[key] as Data[]) : []);

/** Raises a raw event to `toVersion`, step by step. Returns null where a step is missing. */
export const upcast = (
  data: Record<string, unknown>,
  type: EventType,
  fromVersion: number,
  toVersion: number,
  known: Upcasters = upcasters,
): Record<string, unknown> | null => {
  let raised = data;
  for (let version = fromVersion; version < toVersion; version++) {
    const step = known[type]?.[version];
    if (step === undefined) return null;
    raised = step(raised);
  }
  return raised;
};
