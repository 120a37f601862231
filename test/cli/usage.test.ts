import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, runCli, stackTrace, testFolder, type TestFolder } from './support/cli.ts';
import { commands } from './support/commands.ts';

let folder: TestFolder;
beforeAll(() => {
  folder = testFolder();
});
afterAll(() => {
  folder.remove();
});

describe('help', () => {
  it.each(commands)('of %s has a description, --json and examples', async (command) => {
    const { status, stdout, stderr } = await runCli([...command.split(' '), '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Usage: switchyard ${command}`);
    expect(stdout).toContain('--json');
    // Those that turn one file into another have nothing to do with a yard.
    if (!['import', 'policy warm-start'].includes(command)) expect(stdout).toContain('--config');
    expect(stdout).toContain('\nExamples:\n  ');
  });

  it('lists every command and the exit codes', async () => {
    const { status, stdout } = await runCli(['--help']);
    expect(status).toBe(0);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command.split(' ')[0] ?? ''} `, 'm'));
    expect(stdout).toContain('3 the yard is not reachable');
  });

  it('has no colour where stdout is no terminal, also when asked for none', async () => {
    const { stdout } = await runCli(['--help'], { env: { NO_COLOR: '1' } });
    expect(stdout).not.toContain('\u001b');
  });
});

describe('a mistake of the user is one sentence, exit code 2, and no stack trace', () => {
  const mistakes: readonly (readonly [args: string, expected: string])[] = [
    ['', 'Usage: switchyard'],
    ['bogus', "unknown command 'bogus'"],
    ['events --limi 3', 'Did you mean --limit?'],
    ['events --limit many', 'Expected a whole number from 0'],
    ['events --since yesterday', '--since: expected a log sequence'],
    ['events --since 2026-13-01', '--since: expected a log sequence'],
    ['events --since 2300-01-01', '--since: expected a log sequence'],
    ['events --type route.decide', '--type: expected one of cache.hit'],
    ['chat', "missing required argument 'prompt'"],
    ['chat one two', 'too many arguments'],
    ['chat -', 'expected a prompt on stdin, got nothing'],
    ['sql --param arm SELECT', 'Expected name=value'],
    ['sql --format ../etc SELECT', 'Expected the name of an output format'],
    ['sql --json --format CSV SELECT', 'cannot be used with'],
    ['dead --limit 0', 'Expected a whole number from 1'],
    ['up --roles worker', 'Expected some of gateway,router'],
    ['models --http-url localhost:8080', 'Expected an address such as http://'],
    ['models --http-url http://me:secret@localhost:8080', 'Expected an address without user and password'],
    ['events --nats-url http://127.0.0.1', 'Expected an address such as nats://'],
    ['arms --compare a', '--compare: expected two arms, or none for all pairs; got 1'],
    ['arms --compare a a', 'got the same twice'],
    ['arms --model small', '--model: expected together with --explain'],
    ['arms --explain hello --from 1d', 'cannot be used with'],
    ['arms --explain hello --compare', 'cannot be used with'],
    ['arms --explain - --model x', 'expected a prompt on stdin, got nothing'],
    ['arms --explain hello --tenant nobody', '--tenant: expected one of default'],
    ['rebuild --at tomorrow', '--at: expected a log sequence'],
    ['reconcile --from never', '--from: expected a log sequence'],
    ['replay --to soon', '--to: expected a log sequence'],
    ['replay --acceptance 2', 'Expected a number above 0 and up to 1'],
    ['models --config /nowhere/switchyard.yaml', 'no such file'],
  ];
  it.each(mistakes)('%s', async (args, expected) => {
    const given = args === '' ? [] : args.split(' ');
    const { status, stdout, stderr } = await runCli(given);
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(stackTrace);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).not.toContain('secret@');
  });
});

describe('without a running yard', () => {
  it.each(['models', 'chat hello', 'events', 'dead', 'sql SELECT', 'arms', 'arms --explain hello', 'shadow', 'rebuild', 'reconcile'])(
    '%s says how to start one, exit code 3',
    async (args) => {
      const { status, stdout, stderr } = await runCli([...args.split(' '), '--config', folder.config]);
      expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
      expect(stderr).toContain('start the yard with ./switchyard up');
      expect(stderr).toContain('127.0.0.1:1 ');
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).not.toMatch(stackTrace);
    },
  );

  it('status reports each part as not ready, exit code 3', async () => {
    const { status, stdout } = await runCli(['status', '--json', '--config', folder.config]);
    expect(status).toBe(3);
    expect(jsonLines(stdout)).toMatchObject([{ ready: false, processes: [], queue: null }]);
  });
});

describe('config', () => {
  it('check tells every mistake with its path, as a sentence and as JSON', async () => {
    const file = path.join(folder.path, 'wrong.yaml');
    writeFileSync(file, 'models: []\narms: []\nhttp: { prot: 8080 }\n');
    const people = await runCli(['config', 'check', '--config', file]);
    expect(people.status).toBe(2);
    expect(people.stderr).toContain('http.prot');
    expect(people.stderr).not.toMatch(stackTrace);
    const programs = await runCli(['config', 'check', '--json', '--config', file]);
    expect(programs.status).toBe(2);
    expect(jsonLines(programs.stdout)).toMatchObject([{ ok: false, file }]);
    expect(programs.stdout).toContain('"where":"models"');
  });

  it('check names the variable of a key that is not there', async () => {
    const file = path.join(folder.path, 'key.yaml');
    writeFileSync(
      file,
      `models: [{ id: m, provider: { kind: openai-compatible, baseUrl: 'http://127.0.0.1:1/v1', model: m, apiKeyEnv: SOME_KEY }, price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 }, contextTokens: 1000 }]\narms: [{ id: a, model: m }]\n`,
    );
    const without = await runCli(['config', 'check', '--config', file]);
    expect(without.status).toBe(2);
    expect(without.stderr).toContain('SOME_KEY');
    const shown = await runCli(['config', 'show', '--config', file], { env: { SOME_KEY: 'sk-hidden', NATS_PASSWORD: 'hidden-too' } });
    expect(shown.status).toBe(0);
    expect(shown.stdout).toContain('SOME_KEY set');
    expect(shown.stdout).toContain('NATS_PASSWORD set');
    expect(shown.stdout).not.toContain('hidden');
  });

  it('show is a configuration that can be used again, and writes nothing', async () => {
    const own = testFolder();
    try {
      const first = await runCli(['config', 'show', '--config', own.config], { env: { SWITCHYARD_HTTP_PORT: '9123' } });
      expect(first.stdout).toContain('port: 9123');
      const again = path.join(own.path, 'again.yaml');
      writeFileSync(again, first.stdout);
      const second = await runCli(['config', 'show', '--json', '--config', again]);
      expect(second.status).toBe(0);
      const { readdirSync } = await import('node:fs');
      expect(readdirSync(own.path).toSorted()).toEqual(['again.yaml', 'yard.yaml']);
      const shown = jsonLines(second.stdout)[0] as { config: { http: unknown } };
      expect(shown.config.http).toMatchObject({ port: 9123 });
    } finally {
      own.remove();
    }
  });
});
