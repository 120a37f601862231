import { conventionalNames, fileVariable, secretVariables, variables } from './variables.ts';

/**
 * The environment of a yard of its own (demo, benchmarks): this process's, without anything that would point it at another server, folder or port.
 * Its configuration is the given file alone.
 */
export const privateEnvironment = (file: string): NodeJS.ProcessEnv => {
  const ours = new Set([...variables.map(({ name }) => name), ...Object.values(conventionalNames), ...Object.keys(secretVariables)]);
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.has(name))), [fileVariable]: file };
};
