import type { Json, JsonObject } from '../../../json.ts';

/** Texts of the content of a message: the text itself, or the text parts of a list. Anything else holds no text. */
export const textsOf = (content: Json | undefined): readonly string[] => {
  if (typeof content === 'string') return [content];
  return listOf(content).flatMap((part) => textAt(part, 'text'));
};

/** Arguments of the calls of tools in a message. */
export const toolArgumentsOf = (calls: Json | undefined): readonly string[] =>
  listOf(calls).flatMap((call) => (isObject(call) ? textAt(call['function'], 'arguments') : []));

export const charactersOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0);

/** All of the texts where they are short, else the first and the last `edge` characters, however many texts there are. */
export const sampleOf = (texts: readonly string[], edge: number): string => {
  const [only] = texts;
  if (only === undefined) return '';
  if (texts.length === 1 && only.length <= 2 * edge) return only;
  let begin = '';
  for (let i = 0; i < texts.length && begin.length < edge; i++) begin += `${(texts[i] ?? '').slice(0, edge)}\n`;
  let end = '';
  for (let i = texts.length - 1; i >= 0 && end.length < edge; i--) end = `\n${(texts[i] ?? '').slice(-edge)}${end}`;
  return `${begin.slice(0, edge)}\n${end.slice(-edge)}`;
};

const textAt = (value: Json | undefined, name: string): readonly string[] => {
  const text = isObject(value) ? value[name] : undefined;
  return typeof text === 'string' ? [text] : [];
};

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
