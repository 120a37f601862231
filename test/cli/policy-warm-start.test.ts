import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadPolicyFile } from '../../src/config/policy-file.ts';
import { warmStartOf } from '../../src/domain/routing/policies/warm-start.ts';
import { runCli, stackTrace, testFolder, type TestFolder } from './support/cli.ts';

let folder: TestFolder;
beforeAll(() => {
  folder = testFolder();
});
afterAll(() => {
  folder.remove();
});

const file = (name: string, text: string): string => {
  const at = path.join(folder.path, name);
  writeFileSync(at, text);
  return at;
};
const lines = (...records: readonly unknown[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('');
const warmStart = (args: readonly string[], input?: string) =>
  runCli(['policy', 'warm-start', ...args], input === undefined ? {} : { input });

const records = lines(
  { arm: 'arm-a', prompt: 'Translate to French: hello', reward: 1, model: 'passed over' },
  { arm: 'arm-a', messages: [{ role: 'user', content: 'Translate to French: hello' }], reward: 0.5 },
  { arm: 'arm-b', prompt: 'Write a poem about the sea', reward: 0.25 },
);

describe('policy warm-start', () => {
  it('makes a block that a policy file takes, and the policy believes it', async () => {
    const { status, stdout, stderr } = await warmStart([file('judged.jsonl', `\uFEFF${records}\n`), '--max-trials', '1.5']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '3 records of 2 arms, in 6 cells\n' });
    const spec = loadPolicyFile(file('policy.yaml', `kind: contextual-thompson\n${stdout}`), ['arm-a', 'arm-b']);
    if (spec.kind !== 'contextual-thompson') throw new Error(`expected contextual-thompson, got ${spec.kind}`);
    const known = warmStartOf(spec.warmStart);
    expect(known('arm-a', 'kind:translation')).toEqual({ trials: 1.5, gained: 1.5 * 0.75 });
    expect(known('arm-b')).toEqual({ trials: 1, gained: 0.25 });
    expect(known('arm-b', 'kind:translation')).toEqual({ trials: 0, gained: 0 });
  });

  it('is the same from stdin and as JSON', async () => {
    const [yaml, json] = await Promise.all([warmStart(['-'], records), warmStart(['-', '--json'], records)]);
    expect(json).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toEqual({ ...(parse(yaml.stdout) as object), records: 3, arms: 2, leftOut: 0 });
  });

  it('leaves out the finest cells with the fewest records when a policy cannot hold all, and says so', async () => {
    const word = (i: number) => `${'abcdefgh'.charAt(i >> 3)}${'abcdefgh'.charAt(i & 7)}`;
    const many = Array.from({ length: 240 }, (_, arm) =>
      Array.from({ length: 60 }, (_record, i) => ({ arm: `arm-${arm}`, prompt: `Translate to French: ${word(i)}`, reward: 1 })),
    ).flat();
    const { status, stdout, stderr } = await warmStart(['-', '--json'], lines(...many));
    expect(status).toBe(0);
    const made = JSON.parse(stdout) as { warmStart: { cells: { cell: string; trials: number }[] }; records: number; leftOut: number };
    expect(made.records).toBe(14_400);
    expect(made.leftOut).toBeGreaterThan(0);
    expect(stderr).toContain('are left out');
    const { cells } = made.warmStart;
    expect(cells).toHaveLength(4_096);
    const trials = (level: string) => cells.filter(({ cell }) => cell.startsWith(level)).map((cell) => cell.trials);
    expect([trials('all').length, trials('kind:').length]).toEqual([240, 240]);
    expect(trials('ending:')).toEqual(trials('ending:').toSorted((a, b) => b - a));
  });
});

describe('a mistake is told with its line, and nothing is printed', () => {
  const good = lines({ arm: 'arm-a', prompt: 'hello', reward: 1 });
  it.each([
    ['a reward beyond 1', lines({ arm: 'arm-a', prompt: 'hello', reward: 1.5 }), 'reward: expected a number from 0 to 1, got 1.5'],
    ['no reward', lines({ arm: 'arm-a', prompt: 'hello' }), 'reward: expected a number from 0 to 1, got nothing'],
    ['no number', '{"arm":"arm-a","prompt":"hello","reward":NaN}', 'expected a record in JSON, got'],
    ['no prompt', lines({ arm: 'arm-a', reward: 1 }), 'expected either "messages" or "prompt", and not both'],
    ['two prompts', lines({ arm: 'arm-a', reward: 1, prompt: 'a', messages: [{ role: 'user', content: 'a' }] }), 'and not both'],
    ['no name', lines({ arm: 'arm a', prompt: 'hello', reward: 1 }), 'arm: expected 1 to 128 characters'],
    [
      'an unknown role',
      lines({ arm: 'arm-a', messages: [{ role: 'usr', content: 'a' }], reward: 1 }),
      'messages.0.role: expected one of system, ',
    ],
    ['no object', '[]', 'expected an object such as {"arm":"large"'],
    ['a line without end', 'x'.repeat(4 * 1024 ** 2 + 1), 'expected a line of at most 4194304 bytes'],
  ])('%s', async (_what, line, expected) => {
    const { status, stdout, stderr } = await warmStart(['-'], `${good}\n${line}`);
    expect(stderr).toContain('switchyard: stdin:3: ');
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(stackTrace);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it.each([
    ['nothing in it', () => ['-'], 'stdin: expected at least one record, got none'],
    ['no file', () => [path.join(folder.path, 'none.jsonl')], 'none.jsonl: expected a file that can be read'],
    ['a folder', () => [folder.path], 'expected a file, got a folder'],
    ['no trials', () => ['-', '--max-trials', '0'], 'Expected a number above 0 and up to 1000000'],
  ])('%s', async (_what, args, expected) => {
    const { status, stdout, stderr } = await warmStart(args(), '');
    expect(stderr).toContain(expected);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it('more arms than a yard can have', async () => {
    const { status, stderr } = await warmStart(
      ['-'],
      lines(...Array.from({ length: 257 }, (_, i) => ({ arm: `arm-${i}`, prompt: 'hello', reward: 1 }))),
    );
    expect(stderr).toContain('stdin:257: expected at most 256 arms, got "arm-256" as one more');
    expect(status).toBe(2);
  });
});
