/* eslint-disable @typescript-eslint/no-non-null-assertion -- all columns of a page are as long as it has rows, and this runs for every record */
import type { RequestFeatures, Tenant } from '../events/index.ts';

/** What policies saw of a request (version 2), in columns of the table `events`: each an expression that `Columns` can read. */
export const featureNumbers = {
  promptCharacters: 'toFloat64(features.prompt_characters)',
  promptTokensEstimate: 'toFloat64(features.prompt_tokens_estimate)',
  messageCount: 'toFloat64(features.message_count)',
  conversationDepth: 'toFloat64(features.conversation_depth)',
  hasSystemPrompt: 'toFloat64(features.has_system_prompt)',
  lastMessageCharacters: 'toFloat64(features.last_message_characters)',
  hasCode: 'toFloat64(features.has_code)',
  hasMathematics: 'toFloat64(features.has_mathematics)',
  isQuestion: 'toFloat64(features.is_question)',
  complexity: 'complexity',
  requestedTokens: 'toFloat64(features.requested_tokens)',
  opening: 'toFloat64(features.opening)',
  ending: 'toFloat64(features.ending)',
  system: 'toFloat64(features.system)',
} as const;

export const featureTexts = {
  language: 'language',
  requestKind: 'request_kind',
  requestedFormat: 'features.requested_format',
} as const;

export type FeatureColumns = Readonly<
  Record<keyof typeof featureNumbers, Float64Array> & Record<keyof typeof featureTexts, readonly string[]>
>;

/** Those of row i. */
export const featuresAt = (columns: FeatureColumns, i: number, tenant: Tenant): RequestFeatures => {
  const system = columns.system[i]!;
  return {
    version: 2,
    tenant,
    promptCharacters: columns.promptCharacters[i]!,
    promptTokensEstimate: columns.promptTokensEstimate[i]!,
    messageCount: columns.messageCount[i]!,
    conversationDepth: columns.conversationDepth[i]!,
    hasSystemPrompt: columns.hasSystemPrompt[i]! === 1,
    lastMessageCharacters: columns.lastMessageCharacters[i]!,
    hasCode: columns.hasCode[i]! === 1,
    hasMathematics: columns.hasMathematics[i]! === 1,
    isQuestion: columns.isQuestion[i]! === 1,
    language: columns.language[i]! as RequestFeatures['language'],
    kind: columns.requestKind[i]! as RequestFeatures['kind'],
    complexity: columns.complexity[i]!,
    requestedTokens: columns.requestedTokens[i]!,
    requestedFormat: columns.requestedFormat[i]! as RequestFeatures['requestedFormat'],
    opening: columns.opening[i]!,
    ending: columns.ending[i]!,
    system: system < 0 ? null : system,
  };
};
