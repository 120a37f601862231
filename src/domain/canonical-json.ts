import { isJsonList, type Json, type JsonObject } from '../json.ts';

/** JSON with the keys of every object in order: equal texts exactly for equal values. The depth of what comes from outside is limited at the border. */
export const canonicalJson = (value: Json): string => {
  if (isJsonList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${namesInOrder(value)
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`)
    .join(',')}}`;
};

const namesInOrder = (object: JsonObject): readonly string[] => Object.keys(object).sort();
