import { Session } from 'chdb';
import { startSqlInterface } from '../../src/projections/sql/http-interface.ts';
import type { AnswerSql } from '../../src/projections/sql/question.ts';
import { runQuery } from '../../src/projections/sql/run-query.ts';
import { identifier, literal } from '../../src/projections/clickhouse.ts';

/**
 * A ClickHouse server for tests, as a process of its own: the real engine (chDB) behind the HTTP interface, with writing allowed and no guard. A session for each
 * query, as a server has. Arguments: folder, port (0: a free one). Says its address over IPC.
 */
const [folder = '', port = '0'] = process.argv.slice(2);

/** Holds the folder while the process lives, as a server does. */
const held = new Session(folder);

const answer: AnswerSql = ({ sql, parameters, settings, defaultFormat, database }) => {
  const sets = [
    ...Object.entries(settings).filter(([name]) => name.startsWith('output_format_')),
    ...Object.entries(parameters).map(([name, value]) => [`param_${name}`, value] as const),
  ].map(([name, value]) => `${name} = ${literal(value)}`);
  const prepare = [...(database === null ? [] : [`USE ${identifier(database)}`]), ...(sets.length === 0 ? [] : [`SET ${sets.join(', ')}`])];
  return runQuery(folder, prepare, sql, defaultFormat);
};

const server = await startSqlInterface({ host: '127.0.0.1', port: Number(port), bodyLimitBytes: 512 * 1024 ** 2, answer });
process.send?.(server.url);
process.on('disconnect', () => {
  held.close();
  process.exit(0);
});
