import { writeFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config/schema.ts';
import { policySpecSchema, type PolicySpecInput } from '../../src/events/schemas/policy.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import type { EvaluationReport } from '../../src/replay/evaluation/report.ts';
import type { LogHeader } from '../../src/replay/interchange/log-format.ts';
import { createTestBus, eventsOfType, request, startActors } from '../actors/support/actors.ts';
import { eventually } from '../support/eventually.ts';
import { openShaped, project, testFolder as dataFolder } from '../support/projection.ts';
import { runCli, testFolder, type TestFolder } from './support/cli.ts';

/** A yard whose policy gives two arms nothing: one has no share, one is disabled. Candidates name them all the same. */
const model = (id: string, contextTokens: number, usd: number) => ({
  id,
  provider: {
    kind: 'simulated',
    firstTokenMs: { median: 1, p95: 3 },
    tokensPerSecond: 20_000,
    answerTokens: { median: 8, p95: 20 },
    quality: 0.6,
  } as const,
  price: { inputUsdPerMillionTokens: usd, outputUsdPerMillionTokens: 4 * usd },
  contextTokens,
});
const policyInForce: PolicySpecInput = { kind: 'static', id: 'shares', floor: 0.02, shares: { a: 0.6, b: 0.4 } };
const config: Partial<ConfigInput> = {
  models: [model('sim-a', 100_000, 3), model('sim-b', 100_000, 1), model('sim-tiny', 200, 0.1)],
  arms: [
    { id: 'a', model: 'sim-a' },
    { id: 'b', model: 'sim-b' },
    { id: 'tiny', model: 'sim-tiny' },
    { id: 'off', model: 'sim-tiny', enabled: false },
  ],
  policy: policySpecSchema.parse(policyInForce),
};
const requests = 60;

let clickhouse: Clickhouse;
let data: Awaited<ReturnType<typeof dataFolder>>;
let sql: SqlInterface;
let folder: TestFolder;

beforeAll(async () => {
  const bus = createTestBus(config);
  const actors = await startActors({ bus, config });
  // Some are too long for the smallest model, some name a model.
  for (let i = 0; i < requests; i++)
    await actors.ask(
      request({
        id: `asked-${i}`,
        content: `Solve for x: ${i} x + 4 = 19 ${i % 3 === 0 ? 'and say why. '.repeat(100) : ''}`,
        ...(i % 10 === 9 ? { model: 'sim-a' } : {}),
      }),
    );
  // Each answer is rewarded, and once more when it has been judged.
  await eventually(async () => (await eventsOfType(bus, 'reward.recorded')).length === 2 * requests);
  await actors.close();
  data = await dataFolder();
  clickhouse = await openShaped(data.path);
  await project(clickhouse, bus);
  const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e8 };
  const answer = await createSandbox({ path: data.path, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
  sql = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
  folder = testFolder(config);
});
afterAll(async () => {
  await sql.close();
  await clickhouse.close();
  await data.remove();
  folder.remove();
});

const at = (name: string): string => path.join(folder.path, name);
const yard = () => ['--config', folder.config, '--sql-url', sql.url];
const policyFile = (policy: PolicySpecInput & { readonly id: string }): string => {
  writeFileSync(at(`${policy.id}.yaml`), stringify(policy));
  return at(`${policy.id}.yaml`);
};
const candidates = (): readonly string[] =>
  [
    policyFile({ kind: 'static', id: 'no-share', floor: 0.02, shares: { a: 0.3, b: 0.5, tiny: 0.2 } }),
    policyFile({ kind: 'static', id: 'disabled', floor: 0, shares: { a: 0.5, b: 0.3, off: 0.2 } }),
    policyFile({ kind: 'complexity', id: 'complexity', floor: 0.02, simple: 'tiny', complex: 'b' }),
  ].flatMap((file) => ['--policy', file]);
const run = (...args: readonly string[]) => runCli(['evaluate', ...yard(), '--resamples', '20', '--force', '--json', ...args]);
const reportOf = async (...args: readonly string[]): Promise<EvaluationReport> => {
  const { stdout, stderr } = await run(...args);
  expect(stdout, stderr).toMatch(/^\{/);
  return JSON.parse(stdout) as EvaluationReport;
};

describe('an exported log', () => {
  it('names the arms of the policy in force, and policies that name what was never logged are evaluated as on the log itself', async () => {
    const exported = await runCli(['export', ...yard(), '--format', 'jsonl', '--out', at('log.jsonl')]);
    expect(exported.status, exported.stderr).toBe(0);
    const [first = '', ...records] = readFileSync(at('log.jsonl'), 'utf8').split('\n');
    const header = JSON.parse(first) as LogHeader;
    const shown = header.arms?.map(({ arm, model: of, enabled, contextTokens }) => [arm, of, enabled, contextTokens]);
    expect(shown).toEqual([
      ['a', 'sim-a', true, 100_000],
      ['b', 'sim-b', true, 100_000],
      ['tiny', 'sim-tiny', true, 200],
      ['off', 'sim-tiny', false, 200],
    ]);
    expect(header.arms?.[0]).toMatchObject({ price: { inputUsdPerMillionTokens: 3 }, lacks: [] });
    expect(records.join('')).not.toMatch(/"arm":"(?:tiny|off)"/);

    const live = await reportOf(...candidates());
    const fromFile = await reportOf(...candidates(), '--file', at('log.jsonl'));
    expect(live.candidates).toHaveLength(3);
    expect(live.candidates[0]?.diagnostics.unsupported).toBeGreaterThan(0.05);
    // Every figure to its last digit: estimates, intervals, diagnostics, fingerprints.
    expect(fromFile.candidates).toEqual(live.candidates);

    // A file of before, without arms in its header, is read as it was: it does not know what no record names.
    writeFileSync(at('bare.jsonl'), [JSON.stringify({ ...header, arms: undefined }), ...records].join('\n'));
    const { status, stderr } = await run(...candidates(), '--file', at('bare.jsonl'));
    expect(status).toBe(2);
    expect(stderr).toContain('"tiny"');
    // And floors over fewer arms are other estimates: the test above can fail.
    const plain = ['--policy', policyFile({ kind: 'static', id: 'plain', floor: 0.02, shares: { a: 0.5, b: 0.5 } })];
    const bare = await reportOf(...plain, '--file', at('bare.jsonl'));
    expect(bare.candidates).not.toEqual((await reportOf(...plain)).candidates);
  });
});
