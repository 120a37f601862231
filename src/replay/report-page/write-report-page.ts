import { writeFile } from 'node:fs/promises';
import { refuseTaken, requireFolders } from '../interchange/names-to-write.ts';
import { writeNewFiles } from '../interchange/new-files.ts';
import type { EvaluationReport } from '../evaluation/report.ts';
import { renderReport } from './render-report.ts';

/** Whoever may not replace what is there, or has no folder to write to, should know it before an evaluation and not after. Errors: as below. */
export const refuseTakenPage = async (file: string, { replace }: { readonly replace: boolean }): Promise<void> => {
  await requireFolders([file]);
  await refuseTaken([file], { force: replace, option: '--replace' });
};

/** The page under its name when it is whole, and not before; nothing that exists is replaced unless told to. Errors: a PermanentError `data-invalid` that names the file. */
export const writeReportPage = (report: EvaluationReport, file: string, { replace }: { readonly replace: boolean }): Promise<void> =>
  writeNewFiles([file], { force: replace, option: '--replace' }, async ([temporary = file]) => {
    await writeFile(temporary, await renderReport(report));
  });
