import { z } from 'zod';

/** Values as JSON knows them. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** An object that came out of JSON.parse: what is inside is JSON by construction. */
export const jsonObjectSchema = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);

export const isJsonObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Array.isArray does not narrow a readonly array. */
export const isJsonList = (value: Json): value is readonly Json[] => Array.isArray(value);
