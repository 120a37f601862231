import { isAscii } from 'node:buffer';
import type { Data, Table, Vector } from 'apache-arrow';

/**
 * A result as columns, from Apache Arrow's stream format: numbers are not written as text and read again, and a text that comes in many rows is made once. For many rows; it takes a third of the time of JSON.
 *
 * Each accessor throws a TypeError when there is no such column, when it is of another type, and when it holds NULL. 64-bit integers would be no numbers of JavaScript: the SELECT has to make Float64 of them where that is exact.
 */
export type Columns = {
  readonly rows: number;
  /** Of one kind, whatever the engine has: loops over arrays of several kinds are slow. */
  readonly numbers: (name: string) => Float64Array;
  /** Quick where the column is LowCardinality. */
  readonly texts: (name: string) => readonly string[];
  /** Of an Array(Float64). */
  readonly lists: (name: string) => ListColumn;
};

/** The list of row i begins at entry `offsets[i]` of `values`, and the next one at `offsets[i + 1]`. */
export type ListColumn = { readonly offsets: Float64Array; readonly values: Float64Array };

/** To be written behind a SELECT. */
export const arrowFormat =
  "FORMAT ArrowStream SETTINGS output_format_arrow_compression_method = 'none', output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 1";

export const columnsOfArrow = async (bytes: Uint8Array): Promise<Columns> => {
  // Loading it takes as long as starting all else: only for those who read columns.
  const { DataType, tableFromIPC } = await import('apache-arrow');
  const table = tableFromIPC(bytes);
  const column = (name: string): Vector => columnNamed(table, name);
  return {
    rows: table.numRows,
    numbers: (name) => numbersOf(column(name), name),
    texts: (name) => {
      const found = column(name);
      if (DataType.isUtf8(found.type)) return gathered(found.data as readonly Data[], addTexts);
      if (DataType.isDictionary(found.type) && DataType.isUtf8(found.type.dictionary))
        return gathered(found.data as readonly Data[], addNames);
      throw unexpected('text', name, found);
    },
    lists: (name) => {
      const found = column(name);
      if (DataType.isList(found.type) && DataType.isFloat(found.type.children[0]?.type)) return listsOf(found);
      throw unexpected('lists of Float64', name, found);
    },
  };
};

const columnNamed = (table: Table, name: string): Vector => {
  const column = table.getChild(name);
  if (column === null)
    throw new TypeError(`expected a column ${name}, got ${table.schema.fields.map((field) => field.name).join(', ') || 'none'}`);
  if (column.nullCount > 0) throw new TypeError(`expected no NULL in column ${name}, got ${column.nullCount}`);
  return column;
};

const numbersOf = (column: Vector, name: string): Float64Array => {
  const values: unknown = column.toArray();
  if (values instanceof Float64Array) return values;
  if (numberArrays.some((kind) => values instanceof kind)) return Float64Array.from(values as ArrayLike<number>);
  throw unexpected('numbers of at most 32 bits or Float64', name, column);
};

const numberArrays = [Float32Array, Uint8Array, Uint16Array, Uint32Array, Int8Array, Int16Array, Int32Array];

/** Arrays put together afterwards are slower to make, or to read. */
const gathered = (chunks: readonly Data[], add: (chunk: Data, texts: string[]) => void): readonly string[] => {
  const texts: string[] = [];
  for (const chunk of chunks) add(chunk, texts);
  return texts;
};

/** One text of the whole chunk, cut up, takes a tenth of the time of decoding each; bytes are places in it where all are ASCII. */
const addTexts = (chunk: Data, texts: string[]): void => {
  const ends = chunk.valueOffsets as Int32Array;
  const [first = 0, last = 0] = [ends[0], ends[chunk.length]];
  const bytes = (chunk.values as Uint8Array).subarray(first, last);
  if (isAscii(bytes)) {
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    for (let i = 0; i < chunk.length; i++) texts.push(whole.slice((ends[i] ?? 0) - first, (ends[i + 1] ?? 0) - first));
  } else {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    for (let i = 0; i < chunk.length; i++) texts.push(decoder.decode(bytes.subarray((ends[i] ?? 0) - first, (ends[i + 1] ?? 0) - first)));
  }
};

/** Texts of a column that has each of them once, and says by number which one stands in a row. */
const addNames = ({ dictionary, values, length }: Data, texts: string[]): void => {
  const names = (dictionary?.toArray() ?? []) as readonly string[];
  const numbers = values as ArrayLike<number>;
  for (let i = 0; i < length; i++) texts.push(names[numbers[i] ?? -1] ?? '');
};

const listsOf = ({ data, length }: Vector): ListColumn => {
  const offsets = new Float64Array(length + 1);
  const values = new Float64Array((data as readonly Data[]).reduce((sum, chunk) => sum + sizeOf(chunk), 0));
  let [row, size] = [0, 0];
  for (const chunk of data as readonly Data[]) {
    if (chunk.length === 0) continue;
    const ends = chunk.valueOffsets as Int32Array;
    const [first = 0, last = 0] = [ends[0], ends[chunk.length]];
    for (let i = 1; i <= chunk.length; i++) offsets[++row] = size + (ends[i] ?? 0) - first;
    values.set((chunk.children[0]?.values as Float64Array).subarray(first, last), size);
    size += last - first;
  }
  return { offsets, values };
};

const sizeOf = ({ valueOffsets, length }: Data): number => {
  const ends = valueOffsets as Int32Array;
  return (ends[length] ?? 0) - (ends[0] ?? 0);
};

const unexpected = (what: string, name: string, { type }: Vector): TypeError =>
  new TypeError(`expected ${what} in column ${name}, got ${String(type)}`);
