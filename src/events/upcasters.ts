import type { EventType } from './catalogue.ts';

/**
 * Turns `data` of version n into version n+1. Old events are never edited in the log: they are raised while being read.
 * An entry is added with each new version, together with a stored fixture in test/events/fixtures.
 */
export type Upcaster = (data: Record<string, unknown>) => Record<string, unknown>;

export type Upcasters = { readonly [Type in EventType]?: { readonly [fromVersion: number]: Upcaster } };

export const upcasters: Upcasters = {};

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
