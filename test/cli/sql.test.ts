import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClickhouse, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { jsonLines, runCli, stackTrace, testFolder, type TestFolder } from './support/cli.ts';

/** `sql` against the real embedded engine behind the real read-only interface. */
let dataPath: string;
let clickhouse: Clickhouse;
let server: SqlInterface;
let folder: TestFolder;

beforeAll(async () => {
  dataPath = mkdtempSync(path.join(tmpdir(), 'switchyard-cli-sql-'));
  clickhouse = await openClickhouse({ kind: 'embedded', path: dataPath, database: 'switchyard' }, { requestTimeoutMs: 10_000 });
  await clickhouse.command('CREATE TABLE arms (arm String, trials UInt64) ENGINE = MergeTree ORDER BY arm');
  await clickhouse.insert('INSERT INTO arms', '{"arm":"large","trials":7}\n{"arm":"it\'s\\ta\\\\b","trials":"9007199254740993"}\n');
  const limits = { queryTimeoutMs: 10_000, queryMemoryBytes: 1024 ** 3, resultBytes: 64 * 1024 ** 2 };
  const answer = await createSandbox({ path: dataPath, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
  server = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1024 ** 2, answer });
  folder = testFolder();
});

afterAll(async () => {
  await server.close();
  await clickhouse.close();
  rmSync(dataPath, { recursive: true, force: true });
  folder.remove();
});

const sql = (args: readonly string[], input?: string) =>
  runCli(['sql', ...args, '--sql-url', server.url, '--config', folder.config], input === undefined ? {} : { input });

describe('sql', () => {
  it('prints a table without escapes where stdout is no terminal', async () => {
    const { status, stdout, stderr } = await sql(["SELECT arm, trials FROM arms WHERE arm = 'large'"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('large');
    expect(stdout).toContain('trials');
    expect(stdout).not.toContain('\u001b');
  });

  it('gives programs a row a line, or any format that is asked for, in the option or in the statement', async () => {
    const [rows, csv, own] = await Promise.all([
      sql(['SELECT arm, trials FROM arms ORDER BY trials LIMIT 1', '--json']),
      sql(['SELECT arm FROM arms ORDER BY trials LIMIT 1', '--format', 'CSVWithNames']),
      sql(['SELECT arm FROM arms ORDER BY trials LIMIT 1 FORMAT TSVRaw']),
    ]);
    expect(jsonLines(rows.stdout)).toMatchObject([{ arm: 'large' }]);
    expect(csv.stdout).toBe('"arm"\n"large"\n');
    expect(own.stdout).toBe('large\n');
  });

  it('binds parameters as they are, whatever stands in them', async () => {
    const statement = 'SELECT trials FROM arms WHERE arm = {arm:String} AND trials > {least:UInt64} FORMAT TSVRaw';
    const { stdout, stderr } = await sql(['-', '--param', "arm=it's\ta\\b", '--param', 'least=1'], statement);
    expect({ stdout, stderr }).toEqual({ stdout: '9007199254740993\n', stderr: '' });
  });

  it('says when there are no rows', async () => {
    const { status, stderr } = await sql(["SELECT * FROM arms WHERE arm = 'nobody'"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'no rows\n' });
  });

  it.each([
    ['SELECT FROM WHERE', '(code 62)'],
    ['SELECT nothing FROM nowhere', '(code 60)'],
    ['DROP TABLE arms', '(code 164)'],
    ["SELECT * FROM file('/etc/passwd')", '(code 164)'],
    ['SELECT {arm:String}', 'arm'],
  ])('%s is refused in one readable sentence, exit code 2', async (statement, expected) => {
    const { status, stdout, stderr } = await sql([statement]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^switchyard: ClickHouse refused the statement \(code \d+\): /);
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain('DB::Exception');
    expect(stderr).not.toMatch(stackTrace);
  });

  it('tells a server that is not ClickHouse', async () => {
    const { createServer } = await import('node:http');
    const other = createServer((_request, response) => response.writeHead(404).end('not here')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    try {
      const { status, stderr } = await runCli(['sql', 'SELECT 1', '--sql-url', `http://127.0.0.1:${port}`, '--config', folder.config]);
      expect(status).toBe(3);
      expect(stderr).toContain('got status 404: not here');
    } finally {
      other.close();
    }
  });
});
