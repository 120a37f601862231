import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationReport } from '../../src/replay/evaluation/report.ts';
import { testFolder } from '../support/projection.ts';
import { jsonLines, runCli } from './support/cli.ts';

/** What an imported log did not hold, or held twice, is told where it is evaluated. */
let folder: Awaited<ReturnType<typeof testFolder>>;
beforeAll(async () => {
  folder = await testFolder();
});
afterAll(() => folder.remove());
const at = (name: string): string => path.join(folder.path, name);

type Row = { readonly item?: number; readonly position?: number; readonly click?: string; readonly p?: string; readonly atMs?: number };
const rowsOf = (count: number, of: (i: number) => Row): readonly string[] =>
  Array.from({ length: count }, (_, i) => {
    const { item = i % 3, position = 1, click = String(i % 2), p = '0.3333333333', atMs = 1_000 * i } = of(i);
    return `${new Date(1_574_553_600_000 + atMs).toISOString()},${item},${position},${click},${p}`;
  });

const imported = async (name: string, rows: readonly string[], ...args: readonly string[]) => {
  writeFileSync(at(`${name}.csv`), `timestamp,item_id,position,click,propensity_score\n${rows.join('\n')}\n`);
  const { status, stdout, stderr } = await runCli([
    'import',
    '--format',
    'openbandit',
    at(`${name}.csv`),
    '--out',
    at(`${name}.jsonl`),
    '--json',
    ...args,
  ]);
  expect(status, stderr).toBe(0);
  return { summary: jsonLines(stdout)[0], stderr };
};

const table = (name: string, probabilities: readonly (readonly number[])[]): string => {
  writeFileSync(at(name), JSON.stringify(probabilities));
  return at(name);
};

const evaluated = async (name: string, policy: string, ...args: readonly string[]) => {
  const { stdout, stderr, status } = await runCli([
    'evaluate',
    '--policy',
    policy,
    '--file',
    at(`${name}.jsonl`),
    '--resamples',
    '20',
    '--json',
    ...args,
  ]);
  return { stderr, status, report: () => JSON.parse(stdout) as EvaluationReport };
};
const codes = (warnings: readonly { readonly code: string }[] | undefined) => warnings?.map(({ code }) => code);

describe('an imported log', () => {
  it('counts a row without a click as a decision of which nothing came', async () => {
    const { summary, stderr } = await imported(
      'missing',
      rowsOf(200, (i) => (i % 10 === 0 ? { click: '' } : {})),
    );
    expect(summary).toMatchObject({ records: 200, withoutOutcome: 20, skipped: 0, copies: 0 });
    expect(stderr).toContain('20 rows have no click: kept as decisions of which nothing came');
    const { status, report } = await evaluated('missing', table('third.json', [[0.5], [0.3], [0.2]]));
    expect(status).toBe(1);
    expect(report().counts).toMatchObject({ evaluated: 180, censored: 20 });
    expect(report().candidates[0]?.verdict).toMatchObject({ kind: 'refused', refusals: [{ code: 'censored' }] });
  });

  it('says what could not be read, and what says the same as an earlier row', async () => {
    const rows = rowsOf(120, (i) => (i % 40 === 7 ? { p: '0' } : {}));
    const { summary, stderr } = await imported('twice', [...rows, ...rows], '--skip-bad');
    expect(summary).toMatchObject({ records: 234, skipped: 6, copies: 117 });
    expect(stderr).toContain('117 rows say the same as an earlier one in all columns but the index, and are kept');
    const { report } = await evaluated('twice', 'uniform');
    expect(report().warnings.slice(0, 2)).toMatchObject([
      { code: 'skipped', what: '6 rows of 240 could not be read when the log was imported' },
      { code: 'copies', what: '117 of 234 records say the same as an earlier one in all columns' },
    ]);
  });

  it('has figures of what was measured alone, and refuses weights of the rest', async () => {
    await imported(
      'clicks',
      rowsOf(200, () => ({})),
    );
    const { report } = await evaluated('clicks', 'uniform', '--force');
    expect(report().onPolicy.map(({ quantity }) => quantity)).toEqual(['reward', 'success']);
    expect(report().candidates[0]?.quantities.map(({ quantity }) => quantity)).toEqual(['reward', 'success']);
    const refused = await evaluated('clicks', 'uniform', '--reward', 'success=.1,cost=.9');
    expect(refused).toMatchObject({ status: 2 });
    expect(refused.stderr).toContain('--reward: expected weights of what was measured in every record; got one for cost');
    expect((await evaluated('clicks', 'uniform', '--force', '--reward', 'success=1')).stderr).toBe('');
  });

  it('says where a candidate does not know the items of the log, and where its positions are others', async () => {
    await imported(
      'positions',
      rowsOf(90, (i) => ({ position: 2 + (i % 2) })),
    );
    const strange = await evaluated(
      'positions',
      table('two.json', [
        [1, 0.5, 0.5],
        [0, 0.5, 0.5],
      ]),
      '--force',
    );
    expect(strange.stderr).toContain('two.json: what it says of position 1 is not used, as no record has it');
    const [candidate] = strange.report().candidates;
    expect(candidate?.warnings[0]).toMatchObject({
      code: 'arms_unknown',
      what: '1 of the 3 arms of the log is not among its own: 2',
    });
    const narrow = await evaluated('positions', table('narrow.json', [[0.5], [0.5]]));
    expect(narrow).toMatchObject({ status: 2 });
    expect(narrow.stderr).toContain(
      'narrow.json: expected probabilities for each position of the records; it has positions 1 to 1, a record has',
    );
  });

  it('is seen to be sorted otherwise within a minute, and nothing is told of parts of its period', async () => {
    const page = at('page.html');
    await imported(
      'sorted',
      rowsOf(400, (i) => ({ atMs: 100 * ((i * 7) % 400), item: i % 3 })),
    );
    const { stderr, report } = await evaluated('sorted', 'uniform', '--force', '--html', page);
    expect(stderr).toContain('the records do not come in the order of time: the reward model is cross-fitted');
    const { warnings, candidates, division, exploration } = report();
    expect(codes(warnings)).toEqual(['out_of_order']);
    expect(warnings[0]?.consequence).not.toContain('--reward-model');
    expect([candidates[0]?.overTime, division.parts, exploration.evenness]).toEqual([[], [], null]);
    await imported(
      'tied',
      rowsOf(400, (i) => ({ atMs: 100 * Math.floor(i / 10), item: i % 3 })),
    );
    expect(codes((await evaluated('tied', 'uniform', '--force')).report().warnings)).not.toContain('out_of_order');
  });

  it('takes names that evaluate takes', async () => {
    const { status, stderr } = await runCli([
      'import',
      '--format',
      'openbandit',
      at('clicks.csv'),
      '--out',
      at('long.jsonl'),
      '--policy',
      'x'.repeat(1_025),
    ]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'switchyard: --policy: expected at most 1024 characters, got 1025\n' });
  });
});
