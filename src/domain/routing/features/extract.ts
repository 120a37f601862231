import { requestKinds, signatureValues, type RequestFeaturesV2 } from '../../../events/schemas/features.ts';
import type { Tenant } from '../../../events/index.ts';
import type { JsonObject } from '../../../json.ts';
import { complexityOf } from './complexity.ts';
import { bucketOf, fnvStep } from './fnv.ts';
import { kindOf } from './kind.ts';
import { languageOf } from './language.ts';
import { wordHashOf } from './lexicon.ts';
import { requestedFormatOf, requestedTokensOf } from './requested-output.ts';
import { scanText } from './scan.ts';
import { sign } from './signs.ts';
import { charactersOf, sampleOf, textsOf, toolArgumentsOf } from './texts.ts';

const version = 2;
/** First and last characters of the last message of the user that are looked at. */
const edgeCharacters = 500;
/** First characters of the system prompt that are looked at. */
const systemCharacters = 200;

/**
 * What a policy may know of a request, version 2. Lengths count the text of all messages and the arguments of their tool calls; that is the only cost that grows with the prompt.
 * All else comes from one pass over the first and the last 500 characters of the last message of the user. They are signs, not proofs: a policy learns what they are worth.
 */
export const extractFeatures = (request: {
  readonly messages: readonly JsonObject[];
  readonly parameters: JsonObject;
  readonly tenant: Tenant;
}): RequestFeaturesV2 => {
  const { messages } = request;
  const { characters, bytes, depth } = countMessages(messages);
  const last = textsOf(messages.findLast((message) => message['role'] === 'user')?.['content']);
  const lastCharacters = charactersOf(last);
  const scan = scanText(sampleOf(last, edgeCharacters));
  const kind = kindOf(scan, lastCharacters, depth);
  const kindHash = kindHashes.get(kind) ?? 0;
  const system = systemSignatureOf(messages);
  return {
    version,
    tenant: request.tenant,
    promptCharacters: characters,
    promptTokensEstimate: Math.ceil(bytes / 4),
    messageCount: messages.length,
    conversationDepth: depth,
    hasSystemPrompt: system !== null,
    lastMessageCharacters: lastCharacters,
    hasCode: scan.hasCode,
    hasMathematics: scan.hasFormula || scan.mathematicsWords > 0 || (scan.anywhere & sign.quantity) !== 0,
    isQuestion: scan.questionMarks > 0 || (scan.first & (sign.interrogative | sign.polar)) !== 0,
    language: languageOf(scan),
    kind,
    complexity: complexityOf(scan, lastCharacters, depth),
    requestedTokens: requestedTokensOf(request.parameters),
    requestedFormat: requestedFormatOf(request.parameters),
    opening: signatureOf(kindHash, scan.opening, signatureValues.opening),
    ending: signatureOf(kindHash, scan.ending, signatureValues.ending),
    system,
  };
};

const countMessages = (messages: readonly JsonObject[]): { characters: number; bytes: number; depth: number } => {
  let characters = 0;
  let bytes = 0;
  let depth = 0;
  const count = (text: string) => {
    characters += text.length;
    bytes += Buffer.byteLength(text, 'utf8');
  };
  for (const message of messages) {
    if (message['role'] === 'user') depth += 1;
    const content = message['content'];
    if (typeof content === 'string') count(content);
    else for (const text of textsOf(content)) count(text);
    if (message['tool_calls'] !== undefined) for (const text of toolArgumentsOf(message['tool_calls'])) count(text);
  }
  return { characters, bytes, depth };
};

// The version among what is hashed: signatures of other versions are other signatures.
const kindHashes: ReadonlyMap<string, number> = new Map(requestKinds.map((kind) => [kind, fnvStep(wordHashOf(kind), version)]));

const signatureOf = (kindHash: number, words: readonly number[], values: number): number => {
  let hash = kindHash;
  for (const word of words) hash = fnvStep(hash, word);
  return bucketOf(hash, values);
};

/** Null where no system or developer message holds text. */
const systemSignatureOf = (messages: readonly JsonObject[]): number | null => {
  const message = messages.find(({ role }) => role === 'system' || role === 'developer');
  const text = sampleOf(textsOf(message?.['content']), systemCharacters).slice(0, systemCharacters);
  return text === '' ? null : bucketOf(wordHashOf(text), signatureValues.system);
};
