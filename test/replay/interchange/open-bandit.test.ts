import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, it } from 'vitest';
import { csvBounds } from '../../../src/replay/interchange/csv-rows.ts';
import { readItemNames } from '../../../src/replay/interchange/read-item-names.ts';
import { readOpenBandit, type OpenBanditOptions } from '../../../src/replay/interchange/read-open-bandit.ts';
import { rewardOf } from '../../../src/replay/logged/reward-of.ts';
import { openBanditFiles, writeOpenBandit } from '../../../src/replay/interchange/write-open-bandit.ts';
import { endlessLine } from './support/endless.ts';
import { batchesOf, collected, recordsOf, requestRecord, slotRecord, temporaryFolder } from './support/records.ts';

const folder = temporaryFolder();
afterAll(folder.remove);

const options: OpenBanditOptions = { tenant: 'imported', policy: 'random', logger: null, names: new Map() };
const read = (file: string, more: Partial<OpenBanditOptions> = {}) => collected(readOpenBandit(file, { ...options, ...more }));

const header = ',timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0';
const row = (index: number | string, more: { time?: string; item?: string; position?: string; click?: string; p?: string } = {}) => {
  const { time = '2019-11-24 00:03:13.442536+00:00', item = '14', position = '3', click = '0', p = '0.0294' } = more;
  return `${index},${time},${item},${position},${click},${p},cef3390ed299c098,0.0`;
};
const file = (name: string, ...lines: readonly string[]): string => {
  writeFileSync(folder.at(name), `${lines.join('\n')}\n`);
  return folder.at(name);
};

describe('a log of the Open Bandit Dataset', () => {
  it('becomes logged decisions: the arm is the item, the context the slot, the reward the click', async () => {
    const [first, second] = await read(file('log.csv', header, row(0), row(7, { click: '1', position: '1', p: '1' })));
    expect(first).toEqual({
      id: '0',
      atMs: Date.parse('2019-11-24T00:03:13.442Z'),
      tenant: 'imported',
      cluster: '0',
      policy: 'random',
      arm: '14',
      propensity: 0.0294,
      candidates: null,
      cells: ['all'],
      context: { kind: 'slot', slot: 2 },
      outcome: {
        parts: { success: 0, streaming: null, cache: null, cost: null },
        weights: { success: 1, streaming: 0, cache: 0, cost: 0 },
        failed: null,
        costUsd: null,
        latencyMs: null,
        tokens: null,
      },
    });
    expect(second).toMatchObject({ id: '7', cluster: '7', propensity: 1, context: { slot: 0 }, outcome: { parts: { success: 1 } } });
  });

  it('is the same packed, with CRLF and a byte order mark, quoted, with columns in another order and others between', async () => {
    const plain = await read(file('log.csv', header, row(0), row(1)));
    writeFileSync(folder.at('log.csv.gz'), gzipSync(readFileSync(folder.at('log.csv'))));
    expect(await read(folder.at('log.csv.gz'))).toEqual(plain);
    writeFileSync(folder.at('editor.csv'), `\uFEFF${header}\r\n${row(0)}\r\n\r\n${row(1)}\r\n`);
    expect(await read(folder.at('editor.csv'))).toEqual(plain);
    const other = (index: number) => `0.0294,"a, ""b""\nc",3,"14",2019-11-24T00:03:13.442Z,0,${index}`;
    expect(await read(file('other.csv', 'propensity_score,note,position,item_id,timestamp,click,index', other(0), other(1)))).toEqual(
      plain,
    );
  });

  it.each([
    ['2019-11-24 00:03:13+00:00', '2019-11-24T00:03:13.000Z'],
    ['2019-11-24 00:03:13', '2019-11-24T00:03:13.000Z'],
    ['2019-11-24 09:03:13.5+09:00', '2019-11-24T00:03:13.500Z'],
    ['2019-11-24T00:03:13.999999999Z', '2019-11-24T00:03:13.999Z'],
    ['2020-02-29 00:03:13 UTC', '2020-02-29T00:03:13.000Z'],
  ])('the time %s', async (time, expected) => {
    const [record] = await read(file('time.csv', header, row(0, { time })));
    expect(new Date(record?.atMs ?? NaN).toISOString()).toBe(expected);
  });

  it('without an index is numbered by its rows', async () => {
    const without = (line: string) => line.slice(line.indexOf(',') + 1);
    const records = await read(file('no-index.csv', without(header), without(row(0)), without(row(0))));
    expect(records.map(({ id }) => id)).toEqual(['0', '1']);
  });

  it('has the candidates where the distribution of the logger is known', async () => {
    const log = file('known.csv', header, row(0, { item: '1', position: '2', p: '0.75' }));
    const logger = {
      kind: 'table',
      arms: ['0', '1'],
      probabilities: [
        [1, 0.25],
        [0, 0.75],
      ],
    } as const;
    const [record] = await read(log, { logger, names: new Map([[1, 'large']]) });
    expect(record).toMatchObject({ arm: 'large', candidates: { arms: ['0', 'large'], propensities: [0.25, 0.75] } });
    const ratios: number[] = [];
    const other = file('other-p.csv', header, row(0, { item: '1', position: '2', p: '0.25' }));
    const [kept] = await read(other, { logger, onOther: (ratio) => ratios.push(ratio) });
    expect(kept).toMatchObject({ propensity: 0.25, candidates: null });
    expect(ratios).toEqual([3]);
    const uniform = await read(other, {
      logger: { kind: 'uniform' },
      names: new Map([
        [0, 'a'],
        [1, 'b'],
        [4, 'c'],
        [9, 'd'],
      ]),
    });
    expect(uniform[0]).toMatchObject({ arm: 'b', candidates: { arms: ['a', 'b', 'c', 'd'], propensities: [0.25, 0.25, 0.25, 0.25] } });
    await expect(read(file('slot.csv', header, row(0, { item: '1', position: '3' })), { logger })).rejects.toThrow(
      'slot.csv:2: expected a position from 1 to 2, as the action distribution has, got 3',
    );
    await expect(read(file('never.csv', header, row(0, { item: '1', position: '1' })), { logger })).rejects.toThrow(
      'never.csv:2: expected an item that the action distribution may choose in position 1, got 1',
    );
  });
});

describe('a row without a click', () => {
  it.each(['', 'nan', 'NaN', 'NA', 'null', 'None'])('is a decision of which nothing came: "%s"', async (click) => {
    const [clicked, missing] = await read(file('missing.csv', header, row(0, { click: '1' }), row(1, { click })));
    expect([clicked?.outcome?.parts.success, missing?.outcome]).toEqual([1, null]);
  });
});

describe('a row that says the same as an earlier one', () => {
  const copies = async (...lines: readonly string[]) => {
    let count = 0;
    const records = await read(file('copies.csv', ...lines), { onCopy: () => count++ });
    return [records.length, count];
  };
  const bare = 'timestamp,item_id,position,click,propensity_score';
  const line = '2019-11-24 00:00:00,1,1,0,0.5';

  it('is kept and told, whatever its index', async () => {
    expect(await copies(header, row(0), row(1), row(2, { click: '1' }), row(3))).toEqual([4, 2]);
    expect(await copies(bare, line, line, `${line}5`)).toEqual([3, 1]);
    expect(await copies(header, row(0), row(1, { p: '0.03' }))).toEqual([2, 0]);
  });
});

describe('a bad row', () => {
  const bad: readonly (readonly [string, string, string])[] = [
    ['no propensity', row(1, { p: '' }), 'expected a propensity_score above 0 and at most 1, got nothing'],
    ['a propensity of 0', row(1, { p: '0.0' }), 'expected a propensity_score above 0 and at most 1, got "0.0"'],
    ['a propensity too small', row(1, { p: '1e-13' }), 'expected a propensity_score of at least 1e-12, got "1e-13"'],
    ['a propensity above 1', row(1, { p: '1.01' }), 'expected a propensity_score above 0 and at most 1, got "1.01"'],
    ['a propensity below 0', row(1, { p: '-0.1' }), 'expected a propensity_score above 0 and at most 1, got "-0.1"'],
    ['a propensity that is no number', row(1, { p: 'NaN' }), 'expected a propensity_score above 0 and at most 1, got "NaN"'],
    ['a hexadecimal propensity', row(1, { p: '0x1' }), 'expected a propensity_score above 0 and at most 1, got "0x1"'],
    ['a click above 1', row(1, { click: '2' }), 'expected a click from 0 to 1, or none, got "2"'],
    ['a click below 0', row(1, { click: '-1' }), 'expected a click from 0 to 1, or none, got "-1"'],
    ['a click that is a word', row(1, { click: 'yes' }), 'expected a click from 0 to 1, or none, got "yes"'],
    ['no time', row(1, { time: 'yesterday' }), 'expected a timestamp such as 2019-11-24 00:03:13.442536+00:00, got "yesterday"'],
    ['a day that is none', row(1, { time: '2019-02-30 00:00:00+00:00' }), 'expected a timestamp such as'],
    ['an hour that is none', row(1, { time: '2019-02-03 25:00:00+00:00' }), 'expected a timestamp such as'],
    ['an item that is no number', row(1, { item: 'large' }), 'expected an item_id that is a whole number from 0 to 65535, got "large"'],
    ['an item below 0', row(1, { item: '-1' }), 'expected an item_id that is a whole number'],
    ['a position of 0', row(1, { position: '0' }), 'expected a position from 1 to 1000, got "0"'],
    ['half a position', row(1, { position: '1.5' }), 'expected a position from 1 to 1000, got "1.5"'],
    ['an index that is no number', row('x'), 'expected an index that is a whole number from 0, got "x"'],
    ['an index twice', row(0), 'expected each index once, got 0 again'],
    ['a column too few', row(1).slice(0, row(1).lastIndexOf(',')), 'expected 8 columns, as in the header, got 7'],
    ['a column too many', `${row(1)},1`, 'expected 8 columns, as in the header, got 9'],
  ];
  it.each(bad)('%s is told with its line', async (_what, line, expected) => {
    await expect(read(file('bad.csv', header, row(0), line, row(2)))).rejects.toThrow(`bad.csv:3: ${expected}`);
  });

  it('is left out and told when that is asked for', async () => {
    const told: string[] = [];
    const lines = [header, row(100), ...bad.map(([, line]) => line.replace(/^0,/, '100,')), row(101)];
    const records = await read(file('many.csv', ...lines), { onBad: (where, reason) => told.push(`${where}: ${reason}`) });
    expect(records.map(({ id }) => id)).toEqual(['100', '101', ...[]]);
    expect(told).toHaveLength(bad.length);
    expect(told[0]).toMatch(/many\.csv:3: expected a propensity_score above 0 and at most 1, got nothing$/);
  });

  it('is not all that there may be', async () => {
    await expect(read(file('all.csv', header, row(0, { p: '' })), { onBad: () => undefined })).rejects.toThrow(
      'expected at least one row that can be read, got none among 1',
    );
  });
});

describe('a file that is none', () => {
  it.each([
    ['nothing', '', 'none.csv: expected a header with the names of the columns, got an empty file'],
    ['a header alone', `${header}\n`, 'none.csv: expected at least one row after the header, got none'],
    [
      'other columns',
      'a,b\n1,2\n',
      'none.csv:1: expected the columns timestamp, item_id, position, click, propensity_score, got none named timestamp,',
    ],
    ['semicolons', `${header.replaceAll(',', ';')}\n`, 'none.csv:1: expected columns with commas between them, got the one column'],
    ['no propensities', `${header.replace('propensity_score', 'p')}\n${row(0)}\n`, 'got none named propensity_score'],
    ['a column twice', `${header},click\n${row(0)},0\n`, 'none.csv:1: expected one column named click, got several'],
    ['Parquet', 'PAR1\0\0', 'none.csv: expected text in UTF-8, got Parquet, which is written here and not read'],
    ['NUL bytes', `${header}\n${row(0)}\n\0`, 'expected text in UTF-8, got a NUL at byte'],
    ['a quote that does not end', `${header}\n"${row(0)}\n`, 'expected CSV: '],
    [
      'a row too long',
      `${header}\n${row(0)}${'x'.repeat(csvBounds.rowBytes)}\n`,
      `none.csv:2: expected a row of at most ${csvBounds.rowBytes} bytes`,
    ],
  ])('%s', async (_what, text, expected) => {
    writeFileSync(folder.at('none.csv'), text);
    await expect(read(folder.at('none.csv'))).rejects.toThrow(expected);
  });

  it('a row without end is refused before it is read', async () => {
    for (const [name, head] of [
      ['endless.csv', `${header}\n0,`],
      ['endless-quoted.csv', `${header}\n0,"`],
    ] as const) {
      const endless = endlessLine(folder.at(name), head);
      try {
        await expect(read(folder.at(name))).rejects.toThrow(`${name}:2: expected a row of at most ${csvBounds.rowBytes} bytes`);
      } finally {
        await endless.stop();
      }
    }
  });

  it('in gzip form, though its name does not say so', async () => {
    writeFileSync(folder.at('packed.csv'), gzipSync(`${header}\n${row(0)}\n`));
    await expect(read(folder.at('packed.csv'))).rejects.toThrow('got gzip, which is unpacked where the name ends in .gz');
  });

  it('not in gzip form, though its name says so', async () => {
    await expect(read(file('plain.csv.gz', header, row(0)))).rejects.toThrow('expected a file that can be read, in gzip form and whole');
  });
});

describe('a folder for Open Bandit Pipeline', () => {
  const records = recordsOf(30, requestRecord);
  const { log, items } = openBanditFiles(folder.at('out'));

  it('has a row for each decision of which something came, in columns of numbers', async () => {
    expect(await writeOpenBandit(folder.at('out'), batchesOf(records, 7))).toEqual({ rows: 26, items: 3 });
    const rows = parse(readFileSync(log, 'utf8'), { columns: true }) as unknown as readonly Readonly<Record<string, string>>[];
    expect(Object.keys(rows[0] ?? {}).slice(0, 6)).toEqual(['', 'timestamp', 'item_id', 'position', 'click', 'propensity_score']);
    expect(rows[1]).toMatchObject({
      '': '1',
      timestamp: '2026-05-01 09:00:01.124000+00:00',
      item_id: '1',
      position: '1',
      propensity_score: '0.2',
      user_feature_prompt_characters: '11',
      user_feature_has_code: '0',
      user_feature_has_mathematics: '1',
      user_feature_complexity: '0.123',
      user_feature_kind_translation: '1',
      user_feature_kind_arithmetic: '0',
      user_feature_language_de: '1',
      user_feature_format_json: '1',
    });
    expect(rows[4]).toMatchObject({ user_feature_has_code: '1', user_feature_kind_translation: '0' });
    for (const one of rows)
      for (const [name, value] of Object.entries(one))
        if (name !== 'timestamp') expect(Number.isFinite(Number(value)) && value !== '', name).toBe(true);
  });

  it('has each decision once: rows have no id by which a reader could tell', async () => {
    const twice = [...records, ...records.slice(3, 9)];
    expect(await writeOpenBandit(folder.at('twice'), batchesOf(twice, 7))).toEqual({ rows: 26, items: 3 });
    expect(readFileSync(openBanditFiles(folder.at('twice')).log, 'utf8')).toBe(readFileSync(log, 'utf8'));
  });

  it('names its items beside', () => {
    expect(parse(readFileSync(items, 'utf8'), { columns: true })).toEqual(
      ['small', 'large "x"', 'naïve,\n3'].map((arm, i) => ({ '': String(i), item_id: String(i), item_feature_0: '0', arm })),
    );
  });

  it('is read again: arms, times, propensities and rewards come back, the rest is lost', async () => {
    const back = await read(log, { names: await readItemNames(items) });
    const kept = records.filter(({ outcome }) => outcome !== null);
    expect(back.map(({ id, atMs, arm, propensity, outcome }) => ({ id, atMs, arm, propensity, reward: outcome?.parts.success }))).toEqual(
      kept.map(({ atMs, arm, propensity, outcome }, i) => ({
        id: String(i),
        atMs,
        arm,
        propensity,
        reward: outcome === null ? null : rewardOf(outcome),
      })),
    );
    expect(new Set(back.map(({ context }) => JSON.stringify(context)))).toEqual(new Set(['{"kind":"slot","slot":0}']));
  });

  it('a log that came from such a file loses nothing but the names of items', async () => {
    const slots = recordsOf(2_000, (i) => slotRecord(i));
    await writeOpenBandit(folder.at('slots'), batchesOf(slots));
    const files = openBanditFiles(folder.at('slots'));
    expect(await read(files.log, { names: await readItemNames(files.items) })).toEqual(slots);
  });
});

describe('the names of items', () => {
  it.each([
    ['no column item_id', 'id,arm\n0,a\n', 'names.csv:1: expected a column item_id'],
    ['an item twice', 'item_id,arm\n0,a\n0,b\n', 'names.csv:3: expected an item_id that is a whole number of its own, got "0"'],
    ['a name twice', 'item_id,arm\n0,a\n1,a\n', 'names.csv:3: expected a name of its own in the column arm, got "a"'],
    ['no items', 'item_id,arm\n', 'names.csv: expected at least one item'],
  ])('%s', async (_what, text, expected) => {
    writeFileSync(folder.at('names.csv'), text);
    await expect(readItemNames(folder.at('names.csv'))).rejects.toThrow(expected);
  });
});
