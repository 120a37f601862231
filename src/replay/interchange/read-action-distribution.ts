import { parse } from 'yaml';
import { z } from 'zod';
import type { DistributionSpec } from './action-distribution.ts';
import { foreignBytes, refuseFile } from './foreign-bytes.ts';

/**
 * Policies that look at the slot alone, from files:
 *   uniform                   the word itself, no file
 *   {"positions", "items", "probabilities": [[of item 0 in position 1, in position 2, ...], ...], "arms"?: [names]}
 *   [[...], ...]              the same table alone; or a list of such tables, one for each round and all the same: `action_dist` of Open Bandit Pipeline, `array.tolist()`
 *   <campaign>: {alpha: [...], beta: [...]}   a Beta prior of Open Bandit Pipeline, in YAML
 * Items are arms by their number unless the file names them. Throws a PermanentError that says what was expected.
 */
export const readActionDistribution = async (source: string, campaign?: string): Promise<DistributionSpec> => {
  if (source === 'uniform') return { kind: 'uniform' };
  const content = parsed(await textOf(source), source);
  const spec = Array.isArray(content) ? fromTables(content, source) : fromObject(content, source, campaign);
  const fault = spec.kind === 'table' ? tableFault(spec) : null;
  if (fault !== null) throw refuseFile(source, fault);
  return spec;
};

const mostBytes = 256 * 1024 ** 2;
const mostItems = 65_536;
/** How far the probabilities of a position may be from 1 in sum: they were counted in simulations, and rounded. */
const tolerance = 1e-6;

const textOf = async (file: string): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of foreignBytes(file, { mostBytes })) chunks.push(chunk);
  return new TextDecoder().decode(Buffer.concat(chunks));
};

/** YAML only where it is not JSON: its reader is a hundred times slower. */
const parsed = (text: string, file: string): unknown => {
  try {
    return file.replace(/\.gz$/, '').endsWith('.json') ? JSON.parse(text) : parse(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw refuseFile(
      file,
      `expected JSON in a file *.json, and YAML in any other${cause instanceof Error ? `: ${cause.message.split('\n', 1)[0] ?? ''}` : ''}`,
      cause,
    );
  }
};

const tableSchema = z
  .array(z.array(z.number().min(0).max(1)).min(1).max(1_000))
  .min(1)
  .max(mostItems);

const fromTables = (content: readonly unknown[], file: string): DistributionSpec => {
  const isList = Array.isArray(content[0]) && Array.isArray(content[0][0]);
  const first: unknown = isList ? content[0] : content;
  const other = isList ? content.findIndex((table) => JSON.stringify(table) !== JSON.stringify(first)) : -1;
  if (other !== -1) throw refuseFile(file, `expected the same distribution in every round, got another in round ${other}`);
  const probabilities = checked(tableSchema, first, file, 'a table of probabilities by item and position');
  return { kind: 'table', arms: numbered(probabilities.length), probabilities };
};

const namedSchema = z.object({
  positions: z.int().positive(),
  items: z.int().positive(),
  probabilities: tableSchema,
  arms: z.array(z.union([z.string().min(1).max(1_024), z.int().min(0).transform(String)])).optional(),
});
const parameters = z.array(z.number().min(1e-6).max(1e12)).min(1).max(mostItems);
const priorSchema = z.object({ alpha: parameters, beta: parameters });

const fromObject = (content: unknown, file: string, campaign: string | undefined): DistributionSpec => {
  if (typeof content !== 'object' || content === null)
    throw refuseFile(file, 'expected "probabilities" by item and position, or "alpha" and "beta" of a campaign');
  if ('probabilities' in content) {
    const { positions, items, probabilities, arms } = checked(namedSchema, content, file, 'positions, items and probabilities');
    if (probabilities.length !== items) throw refuseFile(file, `expected probabilities of ${items} items, got ${probabilities.length}`);
    const short = probabilities.findIndex((row) => row.length !== positions);
    if (short !== -1)
      throw refuseFile(file, `expected ${positions} probabilities of item ${short}, got ${probabilities[short]?.length ?? 0}`);
    if (arms !== undefined && (arms.length !== items || new Set(arms).size !== items))
      throw refuseFile(file, `expected ${items} different names in "arms"`);
    return { kind: 'table', arms: arms ?? numbered(items), probabilities };
  }
  const { alpha, beta } = checked(priorSchema, 'alpha' in content ? content : campaignOf(content, file, campaign), file, 'alpha and beta');
  if (alpha.length !== beta.length) throw refuseFile(file, `expected as many beta as alpha, got ${beta.length} and ${alpha.length}`);
  return { kind: 'beta', arms: numbered(alpha.length), alpha, beta };
};

const campaignOf = (content: object, file: string, campaign: string | undefined): unknown => {
  const names = Object.keys(content);
  const name = campaign ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined || !names.includes(name))
    throw refuseFile(
      file,
      `expected ${name === undefined ? 'the name of a campaign' : `the campaign "${name}"`}, the file has ${names.slice(0, 20).join(', ')}`,
    );
  return (content as Readonly<Record<string, unknown>>)[name];
};

const numbered = (items: number): readonly string[] => Array.from({ length: items }, (_, item) => String(item));

const tableFault = ({ probabilities }: Extract<DistributionSpec, { kind: 'table' }>): string | null => {
  const slots = probabilities[0]?.length ?? 0;
  const ragged = probabilities.findIndex((row) => row.length !== slots);
  if (ragged !== -1) return `expected ${slots} probabilities of item ${ragged}, got ${probabilities[ragged]?.length ?? 0}`;
  for (let slot = 0; slot < slots; slot++) {
    const sum = probabilities.reduce((total, row) => total + (row[slot] ?? 0), 0);
    if (Math.abs(sum - 1) > tolerance) return `expected probabilities that sum to 1 in position ${slot + 1}, got ${sum}`;
  }
  return null;
};

const checked = <Value>(schema: z.ZodType<Value>, content: unknown, file: string, what: string): Value => {
  const read = schema.safeParse(content);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw refuseFile(
    file,
    `expected ${what}; ${issue === undefined || issue.path.length === 0 ? '' : `at ${issue.path.join('.')}: `}${issue?.message ?? ''}`,
  );
};
