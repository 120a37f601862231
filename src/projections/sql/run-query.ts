import { Session } from 'chdb';
import { sqlErrors, type SqlAnswer } from './question.ts';

/** Asks the engine in a session that is made for this one query: statements that prepare it, then the query. Errors of the engine are values. */
export const runQuery = async (path: string, prepare: readonly string[], sql: string, format: string): Promise<SqlAnswer> => {
  const session = new Session(path);
  try {
    for (const statement of prepare) await session.queryAsync(statement);
    const result = await session.queryAsync(sql, { format });
    const body = result.bytes();
    return {
      kind: 'result',
      body,
      format,
      elapsedNs: Math.round(result.elapsed * 1e9),
      rowsRead: result.rowsRead,
      bytesRead: result.bytesRead,
    };
  } catch (error) {
    return engineError(error);
  } finally {
    session.close();
  }
};

/** `Code: 62. DB::Exception: Syntax error: ... (SYNTAX_ERROR)`, sometimes with another such sentence around it. */
const engineMessage = /^(?:Code: (\d+)\. DB::Exception: )+([\s\S]*?)(?: \(version [^)]*\)[\s\S]*)?$/;
const errorName = /\s*\(([A-Z][A-Z0-9_]+)\)\s*$/;

const engineError = (error: unknown): SqlAnswer => {
  const text = error instanceof Error ? error.message : String(error);
  const match = engineMessage.exec(text);
  if (match === null) return { kind: 'error', ...sqlErrors.internal, message: text };
  const sentence = match[2] ?? '';
  return {
    kind: 'error',
    code: Number(match[1]),
    name: errorName.exec(sentence)?.[1] ?? sqlErrors.internal.name,
    message: sentence.replace(errorName, ''),
  };
};
