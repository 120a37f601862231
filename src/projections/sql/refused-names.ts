/**
 * What a read-only query may still not name. `readonly = 1` of the embedded engine keeps tables as they are, but it lets a query read and write files and
 * open connections: the function `file` reads any file of this machine, `DESCRIBE url(...)` calls out, `INTO OUTFILE` writes. All names in lower case.
 */

/** Functions that reach outside the tables, and a table that interrupts every thread. Refused wherever they stand, since `arrayMap(file, ...)` needs no bracket. */
export const refusedNames: ReadonlySet<string> = new Set([
  'file',
  'catboostevaluate',
  'getserversetting',
  'getclienthttpheader',
  'getmacro',
  'logtrace',
  'showcertificate',
  'aiclassify',
  'aigenerate',
  'aiembed',
  'aiextract',
  'aitranslate',
  'stack_trace',
]);

/** Table functions that only compute, or read tables of this database. Any other that the engine has is refused, also one that we have never heard of. */
const harmlessTableFunctions: ReadonlySet<string> = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'primes',
  'generateseries',
  'generate_series',
  'generaterandom',
  'values',
  'null',
  'view',
  'merge',
  'format',
]);

/** Out of all that the engine has. */
export const refusedTableFunctions = (all: readonly string[]): ReadonlySet<string> =>
  new Set(all.map((name) => name.toLowerCase()).filter((name) => !harmlessTableFunctions.has(name)));

/** Words that begin a statement which only reads. */
export const readingStatements: ReadonlySet<string> = new Set(['select', 'with', 'from', 'show', 'describe', 'desc', 'explain', 'exists']);

/** Keywords that move data out of a query or into one. */
export const refusedKeywords: ReadonlySet<string> = new Set(['into', 'outfile', 'infile']);
