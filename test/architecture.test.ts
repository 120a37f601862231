import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { faultsOf, sourceFiles } from './support/architecture.ts';

const src = fileURLToPath(new URL('../src', import.meta.url));

it('keeps the arrows of ARCHITECTURE.md in every file of src', () => {
  const files = sourceFiles(src);
  expect(files.length).toBeGreaterThan(20);
  expect(files.flatMap(faultsOf)).toEqual([]);
});

describe('the rules see', () => {
  it.each([
    ['a wrong arrow', 'actors/planted.ts', `import { project } from '../projections/project.ts';`],
    ['the other direction', 'projections/planted.ts', `import { host } from '../actors/request-host.ts';`],
    ['an implementation in place of its port', 'actors/planted.ts', `import { connect } from '../bus/jetstream/connect.ts';`],
    ['a re-export', 'gateway/planted.ts', `export { host } from '../actors/request-host.ts';`],
    ['a dynamic import', 'gateway/planted.ts', `const host = await import('../actors/request-host.ts');`],
    ['an import with a computed name', 'domain/planted.ts', 'const all = await import(name);'],
    ['a type of a part that is out of reach', 'events/planted.ts', `import type { Config } from '../config/schema.ts';`],
    ['a value where only types may be had', 'actors/planted.ts', `import { loadSettings, type LoadOptions } from '../config/load.ts';`],
    ['a part without a rule', 'somewhere/planted.ts', `import { x } from '../events/index.ts';`],
    ['a way out of src', 'gateway/planted.ts', `import { mark } from '../../bench/marks.ts';`],
    ['a file read in the domain', 'domain/planted.ts', `import { readFileSync } from 'node:fs';`],
    ['a package in the domain', 'domain/routing/planted.ts', `import pino from 'pino';`],
    ['random bytes in the domain', 'domain/planted.ts', `import { createHash, randomBytes } from 'node:crypto';`],
    ['a clock in the domain', 'domain/planted.ts', 'export const at = () => Date.now();'],
    ['another clock in the domain', 'domain/planted.ts', 'export const at = () => new Date();'],
    ['a draw in the domain', 'domain/planted.ts', 'export const draw = () => Math.random();'],
    ['a timer in the domain', 'domain/planted.ts', 'export const later = (f: () => void) => setTimeout(f, 1);'],
    ['a call to the world in the domain', 'domain/planted.ts', `export const get = () => fetch('http://127.0.0.1');`],
    ['the environment', 'cli/planted.ts', `export const home = process.env['HOME'];`],
    ['the environment under another name', 'bus/planted.ts', `import { env as surroundings } from 'node:process';`],
    ['the environment taken apart', 'bus/planted.ts', 'const { env } = process;'],
    ['the environment by a string', 'bus/planted.ts', `const all = process['env'];`],
  ])('%s', (_what, file, text) => {
    expect(faultsOf({ file, text })).toHaveLength(1);
  });

  it.each([
    ['types of the configuration in actors', 'actors/planted.ts', `import type { Config } from '../config/schema.ts';`],
    ['a port', 'actors/planted.ts', `import type { EventLog } from '../bus/event-log.ts';`],
    ['hashes in the domain', 'domain/planted.ts', `import { createHash } from 'node:crypto';`],
    ['a time that is given', 'domain/planted.ts', 'export const at = (timeMs: number) => new Date(timeMs).toISOString();'],
    ['a field with the name of a global', 'domain/planted.ts', 'export const x = (job: { process: number }) => job.process;'],
    ['other parts of process', 'bus/planted.ts', 'const { stdout } = process;'],
    ['the environment in config', 'config/planted.ts', 'export const env = process.env;'],
    ['everything in the command line', 'cli/planted.ts', `import { host } from '../actors/request-host.ts';`],
  ])('nothing wrong with %s', (_what, file, text) => {
    expect(faultsOf({ file, text })).toEqual([]);
  });
});
