import { z } from 'zod';
import { tenantSchema } from '../identifiers.ts';

/** What kind of request it is, by the signs of ordinary language. The order stands for nothing. */
export const requestKinds = [
  'multiple-choice',
  'multiple-choice-explained',
  'fill-in',
  'yes-no-question',
  'arithmetic',
  'mathematics',
  'code-writing',
  'code-question',
  'translation',
  'summarisation',
  'extraction',
  'rewriting',
  'ordering',
  'creative-writing',
  'short-question',
  'open-question',
  'conversation',
  'other',
] as const;
export type RequestKind = (typeof requestKinds)[number];

/**
 * Languages that are told apart: by script, and Latin script by its commonest words. Where one script serves many languages, the code of its most frequent one stands for it
 * (Cyrillic `ru`, Arabic `ar`, Devanagari `hi`). other: words of none of these; unknown: no words.
 */
export const requestLanguages = [
  ...['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'tr'],
  ...['ru', 'el', 'he', 'ar', 'hi', 'th', 'zh', 'ja', 'ko', 'other', 'unknown'],
] as const;

/** Values a hashed sign of the text can take. So few that nobody can read the text out of it. */
export const signatureValues = { opening: 256, ending: 256, system: 64 } as const;

/** Endings under which evidence is filed, within each kind. More would tell templates apart better and leave less evidence for each. */
export const endingsPerKind = 32;

const signatureSchema = (values: number) =>
  z
    .int()
    .min(0)
    .max(values - 1);

/** What the policy saw of the request, version 2. Named and versioned: a replay with other features must notice. */
export const featuresSchemaV2 = z.object({
  version: z.literal(2).describe('of the way features are made'),
  tenant: tenantSchema.describe('who asks'),
  promptCharacters: z.int().min(0).describe('characters in all messages'),
  promptTokensEstimate: z.int().min(0).describe('a quarter of the UTF-8 bytes, rounded up'),
  messageCount: z.int().min(0).describe('messages of the conversation'),
  conversationDepth: z.int().min(0).describe('messages of the user'),
  hasSystemPrompt: z.boolean().describe('whether a system or developer message holds text'),
  lastMessageCharacters: z.int().min(0).describe('characters of the last message of the user; all that follows is about this message'),
  hasCode: z.boolean().describe('whether it looks like code'),
  hasMathematics: z.boolean().describe('whether it looks like mathematics'),
  isQuestion: z.boolean().describe('whether it looks like a question'),
  language: z.enum(requestLanguages).describe('its language, by script and common words; other: none of these, unknown: no words'),
  kind: z.enum(requestKinds).describe('type and category of what is asked'),
  complexity: z.number().min(0).max(1).multipleOf(0.001).describe('how demanding it looks: 0 simple to 1 complex, in thousandths'),
  requestedTokens: z.int().min(0).describe('longest answer that the caller asked for, in tokens; 0: no limit was given'),
  requestedFormat: z.enum(['text', 'json', 'tools']).describe('what the answer may be: text, JSON, or calls of tools'),
  opening: signatureSchema(signatureValues.opening).describe('hash of the kind and the first two words'),
  ending: signatureSchema(signatureValues.ending).describe('hash of the kind and the last three words'),
  system: signatureSchema(signatureValues.system).nullable().describe('hash of the first 200 characters of the system prompt; null: none'),
});
export type RequestFeaturesV2 = z.infer<typeof featuresSchemaV2>;
export type RequestLanguage = RequestFeaturesV2['language'];
