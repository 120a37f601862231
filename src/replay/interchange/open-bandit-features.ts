import { requestKinds, requestLanguages } from '../../events/schemas/features.ts';
import type { RecordedFeatures } from '../../events/index.ts';
import type { Context } from '../logged/logged-decision.ts';

/**
 * What was known of a request, in columns of numbers. Open Bandit Pipeline takes columns whose name holds `user_feature`; a kind and a language are a column for each value, 1 in one of them. All are
 * 0 where a record has no such feature.
 */
type Feature = { readonly name: string; readonly of: (features: RecordedFeatures) => number | boolean };

const features: readonly Feature[] = [
  { name: 'prompt_characters', of: ({ promptCharacters }) => promptCharacters },
  { name: 'prompt_tokens', of: ({ promptTokensEstimate }) => promptTokensEstimate },
  { name: 'messages', of: ({ messageCount }) => messageCount },
  { name: 'last_message_characters', of: ({ lastMessageCharacters }) => lastMessageCharacters },
  { name: 'has_code', of: ({ hasCode }) => hasCode },
  { name: 'has_mathematics', of: ({ hasMathematics }) => hasMathematics },
  { name: 'is_question', of: ({ isQuestion }) => isQuestion },
  { name: 'has_system_prompt', of: (f) => f.version === 2 && f.hasSystemPrompt },
  { name: 'conversation_depth', of: (f) => (f.version === 2 ? f.conversationDepth : 0) },
  { name: 'complexity', of: (f) => (f.version === 2 ? f.complexity : 0) },
  { name: 'requested_tokens', of: (f) => (f.version === 2 ? f.requestedTokens : 0) },
  ...(['json', 'tools'] as const).map((format) => ({
    name: `format_${format}`,
    of: (f: RecordedFeatures) => f.version === 2 && f.requestedFormat === format,
  })),
  ...requestKinds.map((kind) => ({
    name: `kind_${kind.replaceAll('-', '_')}`,
    of: (f: RecordedFeatures) => f.version === 2 && f.kind === kind,
  })),
  ...requestLanguages.map((language) => ({
    name: `language_${language}`,
    of: (f: RecordedFeatures) => f.version === 2 && f.language === language,
  })),
];

export const featureColumns: readonly string[] = features.map(({ name }) => `user_feature_${name}`);

export const featureValues = (context: Context): readonly number[] =>
  context.kind === 'slot' ? features.map(() => 0) : features.map(({ of }) => Number(of(context.input.features)));
