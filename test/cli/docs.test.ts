import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { loadPolicyFile } from '../../src/config/policy-file.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { runCli } from './support/cli.ts';
import { commands } from './support/commands.ts';

/** docs/cli.md is written by hand; what it must not forget is held here. */
const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

const textOf = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

/** In code of other pages: `./switchyard <command> ...`, without the remark behind it. */
const offline = ['evaluate', 'replay', 'export', 'import'];
const examples = ['docs/evaluation.md', 'docs/replay.md', 'docs/interchange.md', 'README.md'].flatMap((file) =>
  [...textOf(file).matchAll(/^\.\/switchyard (\w+) (.*)$/gm)].flatMap(([, command = '', rest = '']) =>
    offline.includes(command) ? [{ file, command, words: (rest.split(/ {2,}|#/, 1)[0] ?? '').split(' ') }] : [],
  ),
);

describe('examples of other pages', () => {
  it('are those of commands and options that there are', async () => {
    expect(new Set(examples.map(({ command }) => command))).toEqual(new Set(offline));
    for (const command of offline) {
      const { stdout } = await runCli([command, '--help']);
      const known = new Set([...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name));
      for (const { file, words } of examples.filter((one) => one.command === command))
        for (const word of words.filter((one) => one.startsWith('--'))) expect([...known], `${file}: ${command} ${word}`).toContain(word);
    }
  });

  it('have policies over the arms of the yard as it comes', () => {
    const arms = loadConfig({ env: {} }).config.arms.map(({ id }) => id);
    const blocks = [...textOf('docs/evaluation.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    expect(blocks).not.toEqual([]);
    const folder = mkdtempSync(path.join(tmpdir(), 'yard-docs-'));
    try {
      for (const text of blocks) {
        writeFileSync(path.join(folder, 'policy.yaml'), text);
        expect(loadPolicyFile(path.join(folder, 'policy.yaml'), arms).id).toBe('b');
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('docs/cli.md', () => {
  it.each(commands)('names every option of %s', async (command) => {
    const { stdout } = await runCli([...command.split(' '), '--help']);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name ?? '');
    expect(options.length).toBeGreaterThan(2);
    for (const option of options.filter((name) => name !== '--help')) expect(page).toContain(option);
  });

  it.each(commands)('has %s in its table', (command) => {
    expect(page).toMatch(new RegExp(`^\\|.*\`${command}\`.*\\|`, 'm'));
  });

  it('has every exit code', () => {
    for (const code of Object.values(exitCodes)) expect(page).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'));
  });
});
