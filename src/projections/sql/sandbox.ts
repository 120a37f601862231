import { availableParallelism } from 'node:os';
import { identifier, literal } from '../clickhouse.ts';
import { guardQuery } from './guard.ts';
import { sqlErrors, type AnswerSql, type SqlAnswer } from './question.ts';
import { refusedTableFunctions } from './refused-names.ts';
import { runQuery } from './run-query.ts';
import { judgeSetting, type SqlLimits } from './settings-policy.ts';
import { createSlots } from './slots.ts';

/**
 * Answers the SQL of analysts inside the process that owns the data directory, without being able to change anything.
 *
 * 1. Each query has a session of its own (0.2 ms): it is given its limits, settings and parameters, then made read-only, then asked. Nothing of one query
 *    is left for the next, and the connection of the writer is not touched. Parameters bound in the session do not block those of other queries, which
 *    the engine's own binding does.
 * 2. The engine works on threads of Node's pool: neither the event loop nor the writer's session waits. The pool has few threads (UV_THREADPOOL_SIZE, 4
 *    unless told otherwise), and the writer needs one at all times: two are left free. A query computes on half of the cores.
 * 3. A query cannot be stopped from outside: one whose caller has gone holds its slot until its time limit.
 */
export const createSandbox = async (options: {
  readonly path: string;
  readonly database: string;
  readonly limits: SqlLimits;
  readonly concurrentQueries: number;
  readonly threadPoolSize: number;
}): Promise<AnswerSql> => {
  const { limits } = options;
  const tableFunctions = refusedTableFunctions(await namesOfTableFunctions(options.path));
  const slots = createSlots({
    slots: Math.max(1, Math.min(options.concurrentQueries, options.threadPoolSize - spareThreads)),
    waiting: 4 * options.concurrentQueries,
    waitMs: longestWaitMs,
  });

  return async (question) => {
    const guarded = guardQuery(question.sql, { parameters: question.parameters, refusedTableFunctions: tableFunctions, limits });
    if (guarded.kind === 'refused') return refused(guarded.reason);
    const settings: Record<string, string> = { ...guarded.settings };
    for (const [name, value] of Object.entries(question.settings)) {
      const verdict = judgeSetting(name, value, limits);
      if (verdict.kind === 'refuse') return refused(verdict.reason);
      if (verdict.kind === 'apply') settings[name] ??= value;
    }
    const release = await slots.take();
    if (release === null) return { kind: 'busy', retryAfterSeconds: 1 };
    try {
      const prepare = [
        `USE ${identifier(question.database ?? options.database)}`,
        setStatement({ ...limitSettings(limits), ...settings, ...asParameters(question.parameters) }),
        'SET readonly = 1',
      ];
      const answer = await runQuery(options.path, prepare, question.sql, guarded.format ?? question.defaultFormat);
      if (answer.kind === 'result' && answer.body.length > limits.resultBytes)
        return {
          kind: 'error',
          ...sqlErrors.tooLarge,
          message: `expected a result of at most ${limits.resultBytes} bytes, got ${answer.body.length}; ask for fewer rows`,
        };
      return answer;
    } finally {
      release();
    }
  };
};

const spareThreads = 2;
const longestWaitMs = 5_000;

const refused = (message: string): SqlAnswer => ({ kind: 'error', ...sqlErrors.readOnly, message });

const namesOfTableFunctions = async (path: string): Promise<readonly string[]> => {
  const answer = await runQuery(path, [], 'SELECT name FROM system.table_functions', 'TSVRaw');
  if (answer.kind !== 'result') throw new TypeError(`expected the engine to list its table functions, got ${answer.kind}`);
  return new TextDecoder().decode(answer.body).split('\n');
};

const limitSettings = (limits: SqlLimits): Readonly<Record<string, string>> => ({
  max_execution_time: String(limits.queryTimeoutMs / 1_000),
  max_memory_usage: String(limits.queryMemoryBytes),
  max_result_bytes: String(limits.resultBytes),
  result_overflow_mode: 'throw',
  max_threads: String(Math.max(1, Math.floor(availableParallelism() / 2))),
  allow_introspection_functions: '0',
});

const asParameters = (parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`param_${name}`, value]));

const setStatement = (settings: Readonly<Record<string, string>>): string =>
  `SET ${Object.entries(settings)
    .map(([name, value]) => `${name} = ${literal(value)}`)
    .join(', ')}`;
