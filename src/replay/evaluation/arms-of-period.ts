import { isDeepStrictEqual } from 'node:util';
import type { PolicyContent } from '../../domain/routing/policy-version.ts';
import type { Warning } from './report.ts';
import { listed } from './sentences.ts';

type Arms = PolicyContent['arms'];

/** Arms that could be drawn in the period, `seen`, and are disabled where a candidate is asked. */
export const disabledSince = (arms: Arms, seen: readonly string[]): readonly Warning[] => {
  const disabled = arms.filter(({ arm, enabled }) => !enabled && seen.includes(arm)).map(({ arm }) => arm);
  if (disabled.length === 0) return [];
  return [
    {
      code: 'arms_disabled',
      what: `${listed(disabled)} could be drawn in the period, and ${disabled.length === 1 ? 'is' : 'are'} disabled at its end`,
      consequence: 'no candidate chooses them, also where they could have been: narrow the period to see policies that do',
    },
  ];
};

/** How the arms `now` differ from those that candidates are evaluated over. */
export const changedSince = (then: Arms, now: Arms): readonly Warning[] => {
  const before = new Map(then.map((arm) => [arm.arm, arm]));
  const after = new Set(now.map(({ arm }) => arm));
  const changes = [
    ...now.flatMap((arm) => changeOf(before.get(arm.arm), arm)),
    ...then.filter(({ arm }) => !after.has(arm)).map(({ arm }) => `${arm} (removed)`),
  ];
  if (changes.length === 0) return [];
  return [
    {
      code: 'arms_changed',
      what: `arms are configured otherwise than at the end of the period: ${listed(changes)}`,
      consequence: 'candidates are evaluated over the arms as they were then, at the prices of then; what they would do now may differ',
    },
  ];
};

const changeOf = (before: Arms[number] | undefined, now: Arms[number]): readonly string[] => {
  if (before === undefined) return [`${now.arm} (added)`];
  if (before.enabled !== now.enabled) return [`${now.arm} (${now.enabled ? 'enabled' : 'disabled'})`];
  if (!isDeepStrictEqual(before.price, now.price)) return [`${now.arm} (another price)`];
  return isDeepStrictEqual(before, now) ? [] : [`${now.arm} (another model)`];
};
