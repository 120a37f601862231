import type { RequestFeaturesV2 } from '../../../events/schemas/features.ts';
import type { JsonObject } from '../../../json.ts';
import { isObject } from './texts.ts';

/**
 * Longest answer that the caller asked for, in tokens; 0: no limit was given. The newer name wins, as it does at the provider. What is more than can be counted is the most that can:
 * 1e300 is as good a limit as 2^53 - 1.
 */
export const requestedTokensOf = (parameters: JsonObject): number => {
  const limit = parameters['max_completion_tokens'] ?? parameters['max_tokens'];
  return typeof limit === 'number' && limit > 0 && Number.isFinite(limit) ? Math.min(Math.ceil(limit), Number.MAX_SAFE_INTEGER) : 0;
};

/** tools: the answer may be calls of tools; json: it must be JSON; else text. */
export const requestedFormatOf = (parameters: JsonObject): RequestFeaturesV2['requestedFormat'] => {
  const { tools, tool_choice: choice, response_format: format } = parameters;
  if (Array.isArray(tools) && tools.length > 0 && choice !== 'none') return 'tools';
  const type = isObject(format) ? format['type'] : undefined;
  return type === 'json_object' || type === 'json_schema' ? 'json' : 'text';
};
