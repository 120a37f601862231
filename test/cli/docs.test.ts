import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { runCli } from './support/cli.ts';

/** docs/cli.md is written by hand; what it must not forget is held here. */
const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const commands = [
  'up',
  'status',
  'chat',
  'models',
  'events',
  'sql',
  'policy show',
  'policy activate',
  'policy canary',
  'policy promote',
  'policy withdraw',
  'policy warm-start',
  'arms',
  'shadow',
  'rebuild',
  'reconcile',
  'evaluate',
  'export',
  'import',
  'dead',
  'config check',
  'config show',
];

describe('docs/cli.md', () => {
  it.each(commands)('names every option of %s', async (command) => {
    const { stdout } = await runCli([...command.split(' '), '--help']);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name ?? '');
    expect(options.length).toBeGreaterThan(2);
    for (const option of options.filter((name) => name !== '--help')) expect(page).toContain(option);
  });

  it('has every exit code', () => {
    for (const code of Object.values(exitCodes)) expect(page).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'));
  });
});
