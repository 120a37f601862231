import { everyRequest } from '../evidence.ts';
import type { SpecOf } from './policy.ts';

/** What was known of an arm in one kind of request before its first request here: how many requests that counts as, and the sum of their rewards. */
export type Known = { readonly trials: number; readonly gained: number };
export type WarmStart = (arm: string, cell?: string) => Known;

export const nothingKnown: Known = { trials: 0, gained: 0 };

/** Capped in weight. Of two entries for one arm and cell the first stands. */
export const warmStartOf = (warmStart: SpecOf<'contextual-thompson'>['warmStart']): WarmStart => {
  const known = new Map<string, Known>();
  for (const { arm, cell, trials, reward } of warmStart?.cells ?? []) {
    const key = keyOf(arm, cell);
    const counted = Math.min(trials, warmStart?.maxTrials ?? 0);
    if (!known.has(key)) known.set(key, { trials: counted, gained: counted * reward });
  }
  return known.size === 0 ? () => nothingKnown : (arm, cell = everyRequest) => known.get(keyOf(arm, cell)) ?? nothingKnown;
};

/** Names hold no space. */
const keyOf = (arm: string, cell: string): string => `${arm} ${cell}`;
