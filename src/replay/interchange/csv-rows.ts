import { CsvError, parse, type Info } from 'csv-parse';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { PermanentError } from '../../errors.ts';
import { foreignBytes, refuseFile } from './foreign-bytes.ts';

/** A row of a CSV file, the header among them, and the line that it ends in. */
export type CsvRow = { readonly cells: readonly string[]; readonly line: number };

export const csvBounds = { rowBytes: 1024 ** 2, fileBytes: 256 * 1024 ** 3 } as const;

/** Rows of any number of cells, one at a time; `.gz` is unpacked. Lines end in LF or CRLF, a byte order mark and empty lines are passed over. Throws a PermanentError for what is not CSV. */
export async function* csvRows(file: string): AsyncGenerator<CsvRow, void, undefined> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true, max_record_size: csvBounds.rowBytes });
  const rows = pipeline(Readable.from(foreignBytes(file, { mostBytes: csvBounds.fileBytes })), parser, () => undefined);
  try {
    for await (const { record, info } of rows as AsyncIterable<{ readonly record: string[]; readonly info: Info }>)
      yield { cells: record, line: info.lines };
  } catch (error) {
    if (error instanceof PermanentError || !(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? `${file}:${error['lines']}` : file;
    throw refuseFile(
      line,
      error.code === 'CSV_MAX_RECORD_SIZE' ? `expected a row of at most ${csvBounds.rowBytes} bytes` : `expected CSV: ${error.message}`,
      error,
    );
  }
}
