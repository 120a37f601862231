import type { RequestFeatures } from '../../events/index.ts';
import type { Json, JsonObject } from '../../json.ts';

/**
 * What a policy may know of a request, version 1. Lengths count the text of all messages and the arguments of their tool calls. The tests on the text look at the first and
 * the last 2,000 characters of the last message of the user, whatever the length of the prompt. They are signs, not proofs: a policy learns what they are worth.
 */
export const extractFeatures = (messages: readonly JsonObject[]): RequestFeatures => {
  let characters = 0;
  let bytes = 0;
  const count = (text: string) => {
    characters += text.length;
    bytes += Buffer.byteLength(text, 'utf8');
  };
  for (const message of messages) {
    for (const text of textsOf(message['content'])) count(text);
    for (const text of toolArgumentsOf(message['tool_calls'])) count(text);
  }
  const last = textsOf(messages.findLast((message) => message['role'] === 'user')?.['content']);
  const lastCharacters = last.reduce((sum, text) => sum + text.length, 0);
  const sample = sampleOf(last, lastCharacters);
  return {
    version: 1,
    promptCharacters: characters,
    promptTokensEstimate: Math.ceil(bytes / 4),
    messageCount: messages.length,
    lastMessageCharacters: lastCharacters,
    hasCode: code.test(sample),
    hasMathematics: mathematics.test(sample),
    isQuestion: question.test(sample),
  };
};

const sampleCharacters = 2_000;

/** Begin and end of the texts of one message, however many and long they are; all of it where it is short. */
const sampleOf = (texts: readonly string[], characters: number): string => {
  if (characters <= 2 * sampleCharacters) return texts.join('\n');
  let begin = '';
  for (let i = 0; i < texts.length && begin.length < sampleCharacters; i++) begin += `${(texts[i] ?? '').slice(0, sampleCharacters)}\n`;
  let end = '';
  for (let i = texts.length - 1; i >= 0 && end.length < sampleCharacters; i--) end = `\n${(texts[i] ?? '').slice(-sampleCharacters)}${end}`;
  return `${begin.slice(0, sampleCharacters)}\n${end.slice(-sampleCharacters)}`;
};

// No pattern repeats within a repetition, and each repetition has a bound: at most some hundred steps for each of 4,000 characters.
const code =
  /```|=>|\);|#include\b|<\/[a-z]|\b(?:def|function|class|struct|interface) [A-Za-z_]\w{0,60} ?[({:<]|\b(?:const|let|var) \w{1,60} ?=|\bSELECT\b.{1,200}\bFROM\b|^ {0,8}(?:import|from|using|package) [\w.{*]{1,60}(?: import\b|;|$)/m;
const mathematics =
  /\$\$|\\(?:frac|sum|int|sqrt|begin|cdot|times)\b|[≤≥≠≈∑∏∫√∞±×÷∂]|\d ?[*+/^=<>] ?\d|\b[a-z] ?[=^] ?-?\d|\b(?:solve|equation|integral|derivative|polynomial|theorem|prove that|how many|how much|what percent)\b/i;
const question = /[?？؟]|^\W{0,8}(?:who|what|when|where|which|why|how|can|could|do|does|did|is|are|should|would|will)\b/i;

const textsOf = (content: Json | undefined): readonly string[] => {
  if (typeof content === 'string') return [content];
  return listOf(content).flatMap((part) => textAt(part, 'text'));
};

const toolArgumentsOf = (calls: Json | undefined): readonly string[] =>
  listOf(calls).flatMap((call) => (isObject(call) ? textAt(call['function'], 'arguments') : []));

const textAt = (value: Json | undefined, name: string): readonly string[] => {
  const text = isObject(value) ? value[name] : undefined;
  return typeof text === 'string' ? [text] : [];
};

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
