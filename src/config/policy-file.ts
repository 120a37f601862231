import path from 'node:path';
import type { PolicySpec } from '../events/index.ts';
import { policySpecSchema } from '../events/schemas/policy.ts';
import { readConfigFile } from './config-file.ts';
import { ConfigError, show } from './config-error.ts';
import { policyProblems } from './policy-rules.ts';
import { inWords, problemsOf } from './problems.ts';
import { schemaNode } from './schema-view.ts';

/**
 * A policy from a file of its own, YAML or JSON: what stands under `policy` in the configuration. Throws one ConfigError with every mistake that was found, each with its place, what was
 * expected and what was seen. `arms`: those of the yard that it is for.
 */
export const loadPolicyFile = (file: string, arms: readonly string[]): PolicySpec => readPolicyFile(file)(arms);

/** The same in two steps, for those who know the arms later: mistakes that the file alone shows are thrown at once. */
export const readPolicyFile = (file: string): ((arms: readonly string[]) => PolicySpec) => {
  const source = path.resolve(file);
  const read = readConfigFile(source, { atLeast: 'a policy with its kind' });
  if (read.kind === 'unreadable') throw new ConfigError(source, read.problems, 'policy');
  if (isWrapped(read.content))
    throw new ConfigError(
      source,
      [
        {
          where: 'policy',
          line: read.lineOf(['policy']),
          expected:
            'the keys of the policy at the top of the file, beginning with kind; take away the line "policy:" and the indentation below it',
          seen: null,
        },
      ],
      'policy',
    );
  const parsed = policySpecSchema.safeParse(read.content);
  if (!parsed.success)
    throw new ConfigError(
      source,
      problemsOf(parsed.error, { content: read.content, lineOf: read.lineOf, variableOf: () => undefined, node: policyNode }),
      'policy',
    );
  return (arms) => {
    const problems = policyProblems(parsed.data, arms);
    if (problems.length > 0)
      throw new ConfigError(
        source,
        problems.map(({ path: at, expected, seen }) => ({
          where: inWords(at),
          line: read.lineOf(at),
          expected: expected.replace(/^expected /, ''),
          seen: show(seen),
        })),
        'policy',
      );
    return parsed.data;
  };
};

/** Copied from the configuration, with the key that it stands under there. */
const isWrapped = (content: unknown): boolean =>
  typeof content === 'object' && content !== null && Object.hasOwn(content, 'policy') && !Object.hasOwn(content, 'kind');

const policyNode = schemaNode(policySpecSchema);
