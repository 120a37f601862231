import type { Json } from '../json.ts';

/**
 * Reads JSON whose keys have escapes, such as a schema with `"^\\d+$"`. V8 may give such a key another's name: once a process has parsed a certain
 * other key, `"\""` comes out as `\` (https://github.com/nodejs/node/issues/63785, open; Node 24.21 and 26 have it). One caller's request would then
 * change what another's says. Keys are therefore read by themselves here, which V8 does well.
 *
 * `text` has to be JSON that JSON.parse accepts, of bounded depth.
 */
export const readEscapedKeys = (text: string): Json => {
  let at = 0;

  const skipSpace = () => {
    while (text.charCodeAt(at) <= 0x20) at++;
  };

  const readString = (): string => {
    const start = at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at++;
    return JSON.parse(text.slice(start, at)) as string;
  };

  const readWord = (): Json => {
    const start = at;
    while (at < text.length && !endsWord.has(text[at] ?? '')) at++;
    return JSON.parse(text.slice(start, at)) as Json;
  };

  /** The items between the opening character, where it stands, and the closing one. */
  const readItems = <T>(close: string, readItem: () => T): T[] => {
    const items: T[] = [];
    for (;;) {
      // Past the opening character, or the comma.
      at++;
      skipSpace();
      if (text[at] !== close) {
        items.push(readItem());
        skipSpace();
      }
      if (text[at] !== close) continue;
      at++;
      return items;
    }
  };

  const readEntry = (): readonly [string, Json] => {
    const key = readString();
    skipSpace();
    at++;
    return [key, readValue()];
  };

  const readValue = (): Json => {
    skipSpace();
    if (text[at] === '"') return readString();
    if (text[at] === '[') return readItems(']', readValue);
    if (text[at] === '{') return Object.fromEntries(readItems('}', readEntry));
    return readWord();
  };

  return readValue();
};

const endsWord = new Set([',', ']', '}', ' ', '\n', '\r', '\t']);
