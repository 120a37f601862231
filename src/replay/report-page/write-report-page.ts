import { writeFile } from 'node:fs/promises';
import { writeNewFiles } from '../interchange/new-files.ts';
import type { EvaluationReport } from '../report.ts';
import { renderReport } from './render-report.ts';

/** The page under its name when it is whole, and not before; nothing that exists is replaced without `force`. Errors: a PermanentError `data-invalid` that names the file. */
export const writeReportPage = (report: EvaluationReport, file: string, options: { readonly force: boolean }): Promise<void> =>
  writeNewFiles([file], options, async ([temporary = file]) => {
    await writeFile(temporary, await renderReport(report));
  });
