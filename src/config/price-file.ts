import path from 'node:path';
import { z } from 'zod';
import { mostArms } from '../events/schemas/policy.ts';
import { readConfigFile } from './config-file.ts';
import { ConfigError } from './config-error.ts';
import { problemsOf } from './problems.ts';
import { priceSchema } from './schema.ts';
import { schemaNode } from './schema-view.ts';

const pricesSchema = z
  .record(z.string(), priceSchema, 'expected arms, each with inputUsdPerMillionTokens and outputUsdPerMillionTokens')
  .refine((prices) => Object.keys(prices).length > 0, 'expected at least one arm with its price')
  .refine((prices) => Object.keys(prices).length <= mostArms, `expected prices of at most ${mostArms} arms`)
  // Arms of other systems may be called anything.
  .refine((prices) => Object.keys(prices).every((arm) => arm !== '' && arm.length <= 1_024), 'expected names of 1 to 1024 characters');

/** Prices of arms from a file, YAML or JSON: `<arm>: {inputUsdPerMillionTokens, outputUsdPerMillionTokens}`, the price of a model in the configuration. Throws one ConfigError with every mistake that was found. */
export const loadPriceFile = (file: string): Readonly<z.infer<typeof pricesSchema>> => {
  const source = path.resolve(file);
  const read = readConfigFile(source, { atLeast: 'at least one arm with its price' });
  if (read.kind === 'unreadable') throw new ConfigError(source, read.problems, 'price list');
  const parsed = pricesSchema.safeParse(read.content);
  if (parsed.success) return parsed.data;
  const origins = { content: read.content, lineOf: read.lineOf, variableOf: () => undefined, node: pricesNode };
  throw new ConfigError(source, problemsOf(parsed.error, origins).slice(0, mostShown), 'price list');
};

const mostShown = 20;
const pricesNode = schemaNode(pricesSchema);
