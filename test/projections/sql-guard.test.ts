import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guardQuery, type Guarded } from '../../src/projections/sql/guard.ts';
import { judgeSetting } from '../../src/projections/sql/settings-policy.ts';
import { refusedTableFunctions } from '../../src/projections/sql/refused-names.ts';
import { attacks } from '../support/sql-attacks.ts';

const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1_000_000, resultBytes: 1_000 };
const tableFunctions = refusedTableFunctions(
  'url s3 remote remoteSecure cluster mysql postgresql mongodb redis sqlite jdbc hdfs azureBlobStorage icebergLocal deltaLakeLocal executable dictionary filesystem eval input file numbers view values merge format brandNewLake'.split(
    ' ',
  ),
);
const guard = (sql: string, parameters: Readonly<Record<string, string>> = {}): Guarded =>
  guardQuery(sql, { parameters, refusedTableFunctions: tableFunctions, limits });

describe('the guard before the engine', () => {
  test.each(attacks)('refuses %s', (sql) => {
    expect(guard(sql).kind).toBe('refused');
  });

  test('refuses a table function that it has never heard of', () => {
    expect(guard(`SELECT * FROM brandNewLake('x')`)).toEqual({
      kind: 'refused',
      reason: expect.stringContaining('brandNewLake') as string,
    });
  });

  test.each([
    'SELECT 1',
    "select count() from events where type = 'reward.recorded'  ; ",
    '(SELECT 1) UNION ALL (SELECT 2)',
    'WITH 1 AS x SELECT x',
    'FROM events SELECT count()',
    "SELECT 'INTO OUTFILE', 'file(''/etc/passwd'')' -- INTO OUTFILE",
    'SELECT $x$ INTO OUTFILE $x$',
    'SELECT /* INSERT INTO t; file() */ 1',
    "SELECT format('{} {}', 'a', 'b'), url FROM (SELECT 1 AS url)",
    'SELECT number FROM numbers(10)',
    'SHOW TABLES',
    'DESCRIBE TABLE events',
    'EXPLAIN SELECT 1',
    'EXISTS TABLE events',
    'SELECT settings FROM (SELECT 1 AS settings)',
    'SELECT merge.a FROM (SELECT 1 AS a) AS merge',
  ])('allows %s', (sql) => {
    expect(guard(sql).kind).toBe('allowed');
  });

  test('settings that may be sent are handed on, the format is seen', () => {
    expect(
      guard(`SELECT 1 SETTINGS max_threads = 2, output_format_json_quote_64bit_integers = 1, readonly = 1 FORMAT JSONEachRow`),
    ).toEqual({
      kind: 'allowed',
      settings: { max_threads: '2', output_format_json_quote_64bit_integers: '1' },
      format: 'JSONEachRow',
    });
  });

  test.each(['file', 'FILE', '`file`', 'x.file', '\\x66ile', "a'b", 'stack_trace', ''])(
    'a parameter of type Identifier may not be %s',
    (value) => {
      expect(guard('SELECT arrayMap({f:Identifier}, [1])', { f: value }).kind).toBe('refused');
      expect(guard('SELECT arrayMap({ f /* */ : identifier }, [1])', { f: value }).kind).toBe('refused');
      expect(guard('SELECT {f:String}', { f: value }).kind).toBe('allowed');
    },
  );

  test('INTO OUTFILE is found in any case, with anything between that is not code', () => {
    const cased = (word: string) =>
      fc.array(fc.boolean(), { minLength: word.length, maxLength: word.length }).map((up) =>
        Array.from(word)
          .map((c, i) => (up[i] === true ? c.toUpperCase() : c))
          .join(''),
      );
    const gap = fc
      .array(fc.constantFrom(' ', '\n', '\t', '\r', '\f', '/**/', '/* /* */ */', '-- x\n', '# x\n', '//\n', '#!\n'), { minLength: 1 })
      .map((parts) => parts.join(''));
    const before = fc.constantFrom(
      'SELECT 1',
      "SELECT 'a''b'",
      'SELECT `x` FROM y',
      'SELECT $$ $$',
      "SELECT '\\\\'",
      'SHOW TABLES',
      'SELECT 1 /* */',
      'SELECT "a\'b"',
    );
    fc.assert(
      fc.property(before, gap, cased('into'), gap, cased('outfile'), (query, a, into, b, outfile) => {
        expect(guard(`${query}${a}${into}${b}${outfile}'/tmp/x'`).kind).toBe('refused');
      }),
      { seed: 31, numRuns: 1_000 },
    );
  });

  test('whatever stands inside quotes is only text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...attacks), fc.string()), (text) => {
        fc.pre(!text.includes('\0'));
        expect(guard(`SELECT '${text.replace(/[\\']/g, '\\$&')}'`).kind).toBe('allowed');
      }),
      { seed: 32 },
    );
  });
});

describe('settings', () => {
  test.each([
    ['max_execution_time', '30', 'apply'],
    ['max_execution_time', '30.5', 'refuse'],
    ['max_execution_time', '0', 'refuse'],
    ['max_execution_time', '-1', 'refuse'],
    ['max_execution_time', 'nan', 'refuse'],
    ['max_memory_usage', '1000000', 'apply'],
    ['max_memory_usage', '1000001', 'refuse'],
    ['max_result_rows', '5', 'apply'],
    ['readonly', '0', 'refuse'],
    ['readonly', '2', 'ignore'],
    ['compress', '1', 'refuse'],
    ['wait_end_of_query', '1', 'ignore'],
    ['session_id', 'x', 'ignore'],
    ['output_format_json_quote_64bit_integers', '1', 'apply'],
    ['output_format_schema', 'x', 'refuse'],
    ['date_time_output_format', 'iso', 'apply'],
    ['format_template_row', '/etc/passwd', 'refuse'],
    ['allow_introspection_functions', '1', 'refuse'],
  ])('%s = %s: %s', (name, value, verdict) => {
    expect(judgeSetting(name, value, limits).kind).toBe(verdict);
  });
});
