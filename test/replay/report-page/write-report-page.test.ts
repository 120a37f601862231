import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { renderReport } from '../../../src/replay/report-page/render-report.ts';
import { refuseTakenPage, writeReportPage } from '../../../src/replay/report-page/write-report-page.ts';
import { madeUpReport } from './made-up-report.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'switchyard-report-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('writes the page, and nothing else', async () => {
  const file = path.join(folder, 'june.html');
  await writeReportPage(madeUpReport, file, { replace: false });
  expect(await readFile(file, 'utf8')).toBe(await renderReport(madeUpReport));
  expect(await readdir(folder)).toEqual(['june.html']);
});

it('makes no folder, and says so before the long work', async () => {
  await expect(refuseTakenPage(path.join(folder, 'nope', 'june.html'), { replace: true })).rejects.toThrow('got none of that name');
  expect(await readdir(folder)).toEqual([]);
});

it('replaces what is there when it is told to, and only then', async () => {
  const file = path.join(folder, 'june.html');
  await writeFile(file, 'mine');
  await expect(writeReportPage(madeUpReport, file, { replace: false })).rejects.toThrow(
    /june\.html: expected a name that is not taken; --replace/,
  );
  await expect(refuseTakenPage(file, { replace: false })).rejects.toThrow(/--replace/);
  await refuseTakenPage(file, { replace: true });
  expect(await readFile(file, 'utf8')).toBe('mine');
  await writeReportPage(madeUpReport, file, { replace: true });
  expect(await readFile(file, 'utf8')).toContain('<!doctype html>');
});

it('leaves nothing behind when the page cannot be made', async () => {
  const broken = { ...madeUpReport, candidates: null } as unknown as typeof madeUpReport;
  await expect(writeReportPage(broken, path.join(folder, 'june.html'), { replace: false })).rejects.toThrow(TypeError);
  expect(await readdir(folder)).toEqual([]);
});
