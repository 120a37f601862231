import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrivalsOf, steadyArrivals } from '../../src/demo/arrivals.ts';
import { readTrace } from '../../src/demo/trace.ts';
import { PermanentError } from '../../src/errors.ts';

const header = 'TIMESTAMP,ContextTokens,GeneratedTokens';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'switchyard-test-trace-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const traceOf = async (...lines: readonly string[]): Promise<string> => {
  const file = path.join(folder, 'trace.csv');
  await writeFile(file, lines.join('\n'));
  return file;
};

const refusal = async (file: string): Promise<string> => {
  const error: unknown = await readTrace(file, 100).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(PermanentError);
  return (error as PermanentError).message;
};

describe('a trace of arrivals', () => {
  it('is read as milliseconds since the first, to the digits of the file, with or without a line end', async () => {
    const file = await traceOf(header, '2023-11-16 23:59:59.9000000,374,44', '2023-11-17 00:00:00.1005000,1,2', '2023-11-17 00:00:02,3,4');
    expect(await readTrace(file, 100)).toEqual([0, 200.5, 2_100].map((ms) => expect.closeTo(ms, 3) as number));
  });

  it('is read no further than asked for', async () => {
    const file = await traceOf(header, '2023-11-16 18:15:46.1,374,44', '2023-11-16 18:15:46.2,374,44', 'garbage');
    expect(await readTrace(file, 2)).toHaveLength(2);
  });

  it.each([
    ['another header', ['time,tokens', '1,2'], /line 1: expected the header/],
    ['a bad time', [header, '2023-11-16 18:15:46.1,374,44', '16.11.2023 18:15,1,1'], /line 3: expected a time/],
    ['a day that does not exist', [header, '2023-13-41 18:15:46.1,374,44'], /line 2: expected a time/],
    ['missing tokens', [header, '2023-11-16 18:15:46.1,374'], /line 2: expected a time/],
    [
      'a step back in time',
      [header, '2023-11-16 18:15:46.1,1,1', '2023-11-16 18:15:46.0,1,1'],
      /line 3: expected a time that is not before/,
    ],
    ['no rows', [header, ''], /expected at least one row/],
  ])('with %s is refused by name of the line', async (_, lines, expected) => {
    expect(await refusal(await traceOf(...lines))).toMatch(expected);
  });

  it('that is not there is one clear error', async () => {
    expect(await refusal(path.join(folder, 'nowhere.csv'))).toMatch(/expected a readable trace at .*nowhere\.csv/);
  });
});

describe('arrivals', () => {
  const due = (arrivals: ReturnType<typeof arrivalsOf>, indexes: readonly number[]) =>
    indexes.map((index) => (arrivals.kind === 'timed' ? arrivals.dueMs(index) : NaN));

  it('of a trace come as much faster as asked', () => {
    expect(due(arrivalsOf([0, 100, 400], 10), [0, 1, 2])).toEqual([0, 10, 40]);
  });

  it('of a trace that is too short go on at its mean rate', () => {
    expect(due(arrivalsOf([0, 100, 400], 1), [2, 3, 4, 6])).toEqual([400, 600, 700, 1_200]);
  });

  it('at a steady rate are evenly spread', () => {
    expect(due(steadyArrivals(500), [0, 1, 500])).toEqual([0, 2, 1_000]);
  });
});
