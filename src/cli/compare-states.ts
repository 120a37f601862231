import type { StateSummary } from '../domain/routing/summary.ts';
import { isJsonList, isJsonObject, type Json } from '../json.ts';

/** Where two states differ, to the last digit; null where one of them has nothing. */
export type StateDifference = { readonly what: string; readonly rebuilt: Figure; readonly other: Figure };

type Figure = string | number | boolean | null;

export const differencesOf = (rebuilt: StateSummary, other: StateSummary): readonly StateDifference[] => {
  if (rebuilt.fingerprint === other.fingerprint) return [];
  const a = figuresOf(rebuilt);
  const b = figuresOf(other);
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((what) => ({ what, rebuilt: a.get(what) ?? null, other: b.get(what) ?? null }))
    .filter(({ rebuilt: mine, other: theirs }) => mine !== theirs);
};

const figuresOf = (summary: StateSummary): ReadonlyMap<string, Figure> => {
  const figures = new Map<string, Figure>();
  collect(JSON.parse(JSON.stringify(summary)) as Json, '', figures);
  return figures;
};

/** Every number and text with its path. An element of a list is named by its arm or tenant where it has one: a list may lack one of them. */
const collect = (value: Json, path: string, figures: Map<string, Figure>): void => {
  const at = (key: string) => (path === '' ? key : `${path} ${key}`);
  if (isJsonList(value))
    value.forEach((item, index) => {
      collect(item, at(nameOf(item) ?? String(index)), figures);
    });
  else if (isJsonObject(value)) for (const [key, item] of Object.entries(value)) collect(item, at(key), figures);
  else figures.set(path, value);
};

const nameOf = (item: Json): string | null => {
  if (!isJsonObject(item)) return null;
  const name = item['arm'] ?? item['tenant'];
  return typeof name === 'string' ? name : null;
};
