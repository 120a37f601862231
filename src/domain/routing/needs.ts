import type { DataOf } from '../../events/index.ts';
import type { ChatRequest } from '../../requests/chat-request.ts';
import type { Json } from '../../json.ts';

type Need = DataOf<'route.decided'>['needs'][number];

/** What a request asks of a model beyond text: tools to call, an answer in JSON, pictures to look at. */
export const needsOf = ({ messages, parameters }: Pick<ChatRequest, 'messages' | 'parameters'>): Need[] => [
  ...(isFilled(parameters['tools']) ? (['tools'] as const) : []),
  ...(formatOf(parameters['response_format']).startsWith('json') ? (['json'] as const) : []),
  ...(messages.some(({ content }) => hasImage(content)) ? (['images'] as const) : []),
];

const isFilled = (tools: Json | undefined): boolean => Array.isArray(tools) && tools.length > 0;

const formatOf = (format: Json | undefined): string => textAt(format, 'type');

const hasImage = (content: Json | undefined): boolean =>
  Array.isArray(content) && content.some((part: Json) => textAt(part, 'type') === 'image_url');

const textAt = (value: Json | undefined, name: string): string => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
  const text = (value as Record<string, Json>)[name];
  return typeof text === 'string' ? text : '';
};
