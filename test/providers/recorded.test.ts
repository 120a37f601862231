import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { readRecordedRows } from '../../src/providers/recorded-rows.ts';
import { loadRecordedAnswers, recorded } from '../../src/providers/recorded.ts';
import { describeProvider } from '../contracts/provider.ts';
import { callOf, collect, endOf, errorOf, secretPrompt, textOf } from '../support/provider-calls.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});
const folderWith = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'switchyard-recorded-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
  return folder;
};
const row = (prompt: string, arms: Readonly<Record<string, { reward: number; cost: number }>>, more: object = {}) =>
  `${JSON.stringify({ prompt, arms, ...more })}\n`;
const measured = { small: { reward: 0.4, cost: 3.73e-5 }, large: { reward: 0.96, cost: 0.03494625 } };

describeProvider('recorded', async (behaviour) => {
  const folder = await folderWith({ 'rows.jsonl': row(behaviour === 'failing' ? 'another prompt' : secretPrompt, measured) });
  const answers = await loadRecordedAnswers(folder);
  return { provider: recorded({ id: 'rec', answers, model: 'large', firstTokenMs: behaviour === 'silent' ? 60_000 : 0 }) };
});

describe('recorded', () => {
  const provide = async (files: Readonly<Record<string, string | Uint8Array>>, model = 'large') =>
    recorded({ id: 'rec', answers: await loadRecordedAnswers(await folderWith(files)), model, firstTokenMs: 0 });

  test('gives reward and cost as they were measured for this prompt and model', async () => {
    const provider = await provide({ 'rows.jsonl.gz': gzipSync(row('other', measured) + row(secretPrompt, measured)) });
    const parts = await collect(provider.answer(callOf()));
    expect(endOf(parts)).toEqual({ kind: 'end', finishReason: 'stop', usage: null, costNanoUsd: 34_946_250, measuredScoreMicro: 960_000 });
    expect(textOf(parts)).toMatch(/^\[recorded large\] /);
  });

  test('knows a prompt by the last message of the user alone, in text or in parts', async () => {
    const provider = await provide({ 'rows.jsonl': row('two lines\nof ünicode', measured) });
    for (const content of [
      'two lines\nof ünicode',
      [
        { type: 'text', text: 'two lines\n' },
        { type: 'text', text: 'of ünicode' },
      ],
    ]) {
      const messages = [
        { role: 'system', content: 'be good' },
        { role: 'user', content: 'earlier' },
        { role: 'user', content },
        { role: 'assistant', content: 'yes?' },
      ];
      expect(endOf(await collect(provider.answer(callOf({ messages })))).measuredScoreMicro).toBe(960_000);
    }
  });

  test('refuses a prompt that is not known, that was not measured for the model, and a request without a user', async () => {
    const provider = await provide({ 'rows.jsonl': row('known', measured) + row(secretPrompt, { small: measured.small }) });
    for (const messages of [[{ role: 'user', content: 'known ' }], callOf().messages, [{ role: 'system', content: 'known' }]]) {
      const error = errorOf(await collect(provider.answer(callOf({ messages }))));
      expect(error).toEqual({
        code: 'provider_refused',
        detail: 'the last message of the user is none of the 2 recorded prompts, or was not measured for this model',
      });
    }
  });

  test('puts rows of one prompt together, from one file or several', async () => {
    const answers = await loadRecordedAnswers(
      await folderWith({
        'a.jsonl': row('p', { small: measured.small }),
        'b.jsonl': row('p', { large: measured.large }) + row('p', measured),
      }),
    );
    expect([...answers.models].sort()).toEqual(['large', 'small']);
    expect(answers.prompts).toBe(1);
    expect(answers.find('p', 'small')).toEqual({ rewardMicro: 400_000, costNanoUsd: 37_300 });
  });

  test('does not choose between two measurements', async () => {
    const folder = await folderWith({
      'a.jsonl': row('p', measured),
      'b.jsonl': row('q', measured) + row('p', { small: { reward: 0.5, cost: 1 } }),
    });
    await expect(loadRecordedAnswers(folder)).rejects.toThrow(
      /b\.jsonl:2: small was measured otherwise for the same prompt at .*a\.jsonl:1/,
    );
  });

  test('names the models there are when it is asked for another', async () => {
    await expect(provide({ 'rows.jsonl': row('p', measured) }, 'medium')).rejects.toThrow(
      /model rec: expected one of the models in .* \(small, large\), got medium/,
    );
  });
});

describe('the rows', () => {
  test('come in the order of files and lines, with what is asked of them', async () => {
    const folder = await folderWith({
      'b.jsonl': row('third', measured),
      'a.jsonl.gz': gzipSync(`${row('first', measured, { source: 'mbpp', difficulty: 'hard' })}\n${row('second', measured).trimEnd()}`),
      'notes.txt': 'not rows',
    });
    const rows = await collect(readRecordedRows(folder));
    expect(rows.map(({ prompt, line, source }) => [prompt, line, source])).toEqual([
      ['first', 1, 'mbpp'],
      ['second', 3, undefined],
      ['third', 1, undefined],
    ]);
    expect(rows[0]?.arms.get('small')).toEqual({ rewardMicro: 400_000, costNanoUsd: 37_300 });
  });

  test.each([
    ['no JSON', `${row('p', measured)}{"prompt":`, /rows\.jsonl:2: expected a row in JSON/],
    ['no prompt', '{"arms":{}}', /rows\.jsonl:1: prompt: /],
    ['a reward above one', row('p', { m: { reward: 1.5, cost: 0 } }), /rows\.jsonl:1: arms\.m\.reward: /],
    ['a cost below zero', row('p', { m: { reward: 1, cost: -1 } }), /rows\.jsonl:1: arms\.m\.cost: /],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from(row('p', measured)), Buffer.from([0xff, 0xfe, 10])]),
      /rows\.jsonl:2: expected UTF-8/,
    ],
    ['an endless line', `${row('p', measured)}${'x'.repeat(5_000_000)}`, /rows\.jsonl:2: expected a line of at most 4194304 bytes/],
  ])('with %s are an error that names the line', async (_what, content, message) => {
    const folder = await folderWith({ 'rows.jsonl': content });
    await expect(collect(readRecordedRows(folder))).rejects.toThrow(message);
  });

  test('of a folder that is not there, is empty, or holds a broken file are an error', async () => {
    await expect(collect(readRecordedRows('/no/such/folder'))).rejects.toThrow('expected a folder that can be read');
    await expect(collect(readRecordedRows(await folderWith({ 'a.csv': '' })))).rejects.toThrow('found none');
    const broken = await folderWith({ 'a.jsonl.gz': gzipSync(row('p', measured)).subarray(0, 30) });
    await expect(collect(readRecordedRows(broken))).rejects.toThrow('expected a readable file in gzip form');
  });

  test('may be left early', async () => {
    const folder = await folderWith({ 'a.jsonl.gz': gzipSync(row('p', measured).repeat(10_000)) });
    for await (const { line } of readRecordedRows(folder)) if (line === 3) break;
  });
});
