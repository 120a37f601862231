import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logBounds } from '../../../src/replay/interchange/log-format.ts';
import { readLog, readLogHeader } from '../../../src/replay/interchange/read-log.ts';
import { writeLog } from '../../../src/replay/interchange/write-log.ts';
import { endlessLine } from './support/endless.ts';
import { batchesOf, collected, origin, recordsOf, requestRecord, slotRecord, temporaryFolder } from './support/records.ts';

const folder = temporaryFolder();
afterAll(folder.remove);

const records = [
  ...recordsOf(1_500, requestRecord),
  ...recordsOf(50, slotRecord).map((record) => ({ ...record, id: `slot-${record.id}` })),
];

describe('what was written is read', () => {
  it.each(['plain.jsonl', 'packed.jsonl.gz'])('%s', async (name) => {
    const file = folder.at(name);
    expect(await writeLog(file, origin, batchesOf(records))).toEqual({ records: records.length });
    expect(await collected(readLog(file))).toEqual(records);
    expect(await readLogHeader(file)).toEqual({ format: 'switchyard-decisions', version: 1, ...origin });
    const bytes = readFileSync(file);
    if (name.endsWith('.gz')) expect(gunzipSync(bytes)).toEqual(readFileSync(folder.at('plain.jsonl')));
  });

  it('none at all', async () => {
    await writeLog(folder.at('none.jsonl'), origin, []);
    expect(await collected(readLog(folder.at('none.jsonl')))).toEqual([]);
  });

  it('in batches, of which one at a time is read', async () => {
    for await (const batch of readLog(folder.at('plain.jsonl'))) {
      expect(batch.length).toBeLessThan(records.length);
      break;
    }
  });

  it('with CRLF and a byte order mark, as editors leave it', async () => {
    const file = folder.at('edited.jsonl');
    writeFileSync(file, `\uFEFF${readFileSync(folder.at('plain.jsonl'), 'utf8').replaceAll('\n', '\r\n')}`);
    expect(await collected(readLog(file))).toEqual(records);
  });
});

describe('a file that was cut is refused', () => {
  let whole: Buffer;
  beforeAll(async () => {
    await writeLog(folder.at('short.jsonl'), origin, [recordsOf(2, slotRecord)]);
    whole = readFileSync(folder.at('short.jsonl'));
  });

  it('wherever it was cut, but before the last line feed', async () => {
    const file = folder.at('cut.jsonl');
    for (let end = 0; end < whole.length - 1; end++) {
      // Each end of a line, and within lines here and there.
      if (end % 13 !== 0 && !whole.subarray(Math.max(0, end - 2), end + 2).includes(10)) continue;
      writeFileSync(file, whole.subarray(0, end));
      await expect(collected(readLog(file)), `${end} bytes`).rejects.toMatchObject({ code: 'data-invalid' });
    }
    writeFileSync(file, whole.subarray(0, -1));
    expect(await collected(readLog(file))).toHaveLength(2);
  });

  it('in gzip form too', async () => {
    const packed = gzipSync(whole);
    for (const end of [0, 5, packed.length >> 1, packed.length - 9]) {
      writeFileSync(folder.at('cut.jsonl.gz'), packed.subarray(0, end));
      await expect(collected(readLog(folder.at('cut.jsonl.gz')))).rejects.toMatchObject({ code: 'data-invalid' });
    }
  });

  it('where a line in the middle is missing, and where something follows the end', async () => {
    const lines = whole.toString().split('\n');
    writeFileSync(folder.at('gap.jsonl'), lines.toSpliced(1, 1).join('\n'));
    await expect(collected(readLog(folder.at('gap.jsonl')))).rejects.toThrow(
      'gap.jsonl:3: expected the last line to say {"records":1}, as many as came before it, got 2',
    );
    writeFileSync(folder.at('more.jsonl'), `${whole.toString()}${lines[1] ?? ''}\n`);
    await expect(collected(readLog(folder.at('more.jsonl')))).rejects.toThrow('more.jsonl:5: expected nothing after the last line');
  });
});

describe('a mistake is told with its line', () => {
  const { outcome, ...rest } = requestRecord(0);
  const good = slotRecord(1);
  it.each([
    ['a word', 'nonsense', 'expected a line of JSON, got "nonsense"'],
    ['an empty line', '', 'expected a line of JSON, got an empty line'],
    ['another thing', '[]', 'expected a logged decision, got a list of 0'],
    ['no propensity', { ...good, propensity: undefined }, 'propensity: expected a number above 0 and at most 1, got nothing'],
    [
      'a propensity so small that no sum holds its weight',
      { ...good, propensity: 5e-324 },
      'propensity: expected at least 1e-12, got 5e-324',
    ],
    ['a number that JSON does not have', JSON.stringify(good).replace('0.25', 'NaN'), `expected a line of JSON, got "{\\"id\\":\\"1\\"`],
    ['a propensity of 0', { ...good, propensity: 0 }, 'propensity: expected a number above 0, got 0'],
    [
      'a propensity that its candidates contradict',
      { ...good, propensity: 0.5, candidates: { arms: ['1', '2'], propensities: [0.02, 0.98] } },
      'candidates: expected 0.5 as the propensity of the chosen arm "1", as the record says itself, got 0.02',
    ],
    ['a time beyond all calendars', { ...good, atMs: 1e300 }, 'atMs: expected milliseconds since 1970, to the year 9999, got 1e+300'],
    ['a time before them', { ...good, atMs: -1 }, 'atMs: expected milliseconds since 1970, got -1'],
    [
      'a cost that no sum holds',
      { ...rest, outcome: { ...outcome, costUsd: 1e200 } },
      'outcome.costUsd: expected at most 1000000000000, got 1e+200',
    ],
    ['no tenant', { ...good, tenant: undefined }, 'tenant: expected string, got nothing'],
    ['a slot below 0, in short', { ...good, context: { kind: 'slot', slot: -1 } }, 'context.slot: expected number to be >=0, got -1'],
    ['a propensity above 1', { ...good, propensity: 1.5 }, 'propensity: expected at most 1, got 1.5'],
    ['a number beyond all numbers', JSON.stringify(good).replace('0.25', '1e999'), 'propensity: '],
    ['no outcome', rest, 'outcome: '],
    [
      'a part above 1',
      { ...rest, outcome: { ...outcome, parts: { success: 2, streaming: 0, cache: 0, cost: 0 } } },
      'outcome.parts.success: ',
    ],
    ['a context of no kind', { ...good, context: { slot: 1 } }, 'context.kind: expected a context of kind "request" or "slot"'],
    ['a slot below 0', { ...good, context: { kind: 'slot', slot: -1 } }, 'context.slot: '],
    [
      'a candidate without propensity',
      { ...good, candidates: { arms: ['1', '2'], propensities: [1] } },
      'candidates: expected a propensity for each arm, got 1 for 2',
    ],
    ['candidates twice', { ...good, candidates: { arms: ['1', '1'], propensities: [0.5, 0.5] } }, 'candidates: expected each arm once'],
    [
      'candidates that are not all',
      { ...good, candidates: { arms: ['1', '2'], propensities: [0.5, 0.4] } },
      'candidates: expected propensities that sum to 1, got 0.9',
    ],
    [
      'an arm that is no candidate',
      { ...good, candidates: { arms: ['2'], propensities: [1] } },
      'candidates: expected the chosen arm "1" among them, with a propensity above 0, got none',
    ],
  ])('%s', async (_what, line, expected) => {
    const file = folder.at('wrong.jsonl');
    const lines = [{ format: 'switchyard-decisions', version: 1, ...origin }, slotRecord(0), line, { end: { records: 2 } }];
    writeFileSync(file, lines.map((entry) => `${typeof entry === 'string' ? entry : JSON.stringify(entry)}\n`).join(''));
    await expect(collected(readLog(file))).rejects.toThrow(`wrong.jsonl:3: ${expected}`);
  });

  const arm = { arm: 'small', model: 'm-1', enabled: true, contextTokens: 8_192, price: null, lacks: [] };
  const headerWith = (arms: readonly object[]) => JSON.stringify({ format: 'switchyard-decisions', version: 1, ...origin, arms });
  it.each([
    ['another format', '{"format":"other","version":1}', 'format: expected "switchyard-decisions", got "other"'],
    ['a version to come', JSON.stringify({ format: 'switchyard-decisions', version: 2, ...origin }), 'version: expected version 1, got 2'],
    ['a record in place of the header', JSON.stringify(slotRecord(0)), 'format: expected "switchyard-decisions", got nothing'],
    ['an arm twice', headerWith([arm, arm]), 'arms: expected each arm once, got "small" twice'],
    ['an arm without room', headerWith([{ ...arm, contextTokens: 0 }]), 'arms.0.contextTokens: '],
    [
      'a price that no sum holds',
      headerWith([{ ...arm, price: { inputUsdPerMillionTokens: 1e300, outputUsdPerMillionTokens: 0 } }]),
      'arms.0.price.inputUsdPerMillionTokens: expected at most 1000000000000, got 1e+300',
    ],
  ])('%s', async (_what, line, expected) => {
    writeFileSync(folder.at('header.jsonl'), `${line}\n`);
    await expect(collected(readLog(folder.at('header.jsonl')))).rejects.toThrow(`header.jsonl:1: ${expected}`);
    await expect(readLogHeader(folder.at('header.jsonl'))).rejects.toThrow(`header.jsonl:1: ${expected}`);
  });

  it.each([
    ['nothing', '', 'expected a header, got an empty file'],
    ['NUL bytes', '{"format"\0', 'expected text in UTF-8, got a NUL at byte 9'],
    ['UTF-16', Buffer.from('{"format":1}', 'utf16le'), 'got a NUL at byte 1'],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), 'bytes.jsonl:1: expected UTF-8'],
  ])('%s', async (_what, bytes, expected) => {
    writeFileSync(folder.at('bytes.jsonl'), bytes);
    await expect(collected(readLog(folder.at('bytes.jsonl')))).rejects.toThrow(expected);
  });

  it.each([
    ['no file', 'nobody.jsonl', 'expected a file that can be read'],
    ['a folder', '', 'expected a file, got a folder'],
  ])('%s', async (_what, name, expected) => {
    await expect(collected(readLog(folder.at(name)))).rejects.toThrow(expected);
  });
});

describe('what is too large is refused before it is read', () => {
  it('a line without end', async () => {
    const endless = endlessLine(folder.at('endless.jsonl'), '{"');
    try {
      await expect(collected(readLog(folder.at('endless.jsonl')))).rejects.toThrow(
        `endless.jsonl:1: expected a line of at most ${logBounds.lineBytes} bytes`,
      );
    } finally {
      await endless.stop();
    }
  });

  it('a few kilobytes of gzip that stand for a line of 256 MiB', async () => {
    // Members of gzip may follow each other: 256 times the same mebibyte.
    const member = gzipSync(Buffer.alloc(1024 ** 2, 'x'));
    writeFileSync(folder.at('bomb.jsonl.gz'), Buffer.concat(Array.from({ length: 256 }, () => member)));
    await expect(collected(readLog(folder.at('bomb.jsonl.gz')))).rejects.toThrow(
      `bomb.jsonl.gz:1: expected a line of at most ${logBounds.lineBytes} bytes`,
    );
  });
});
