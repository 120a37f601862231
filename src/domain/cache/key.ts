import type { Tenant } from '../../events/index.ts';
import type { JsonObject } from '../../json.ts';
import { canonicalJson } from '../canonical-json.ts';

/**
 * The text whose keyed hash stands for a question: two requests have the same one exactly when an answer to the one answers the other. Tenants never share.
 * Whether the answer is streamed does not matter, nor does the order of keys; everything else that reaches a model does, and so does a parameter nobody knows.
 */
export type Question = {
  readonly tenant: Tenant;
  /** As asked for: an answer to "auto" is none to somebody who named a model. */
  readonly model: string;
  readonly messages: readonly JsonObject[];
  readonly parameters: JsonObject;
};

export const canonicalQuestion = ({ tenant, model, messages, parameters }: Question): string =>
  canonicalJson([tenant, model, messages, Object.fromEntries(Object.entries(parameters).filter(([name]) => !carriage.has(name)))]);

/** Parameters that change how an answer travels or is accounted for, not what it says. */
const carriage = new Set([
  'stream',
  'stream_options',
  'user',
  'metadata',
  'store',
  'service_tier',
  'prompt_cache_key',
  'safety_identifier',
]);
