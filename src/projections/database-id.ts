import type { Clickhouse } from './clickhouse.ts';
import { tables } from './table.ts';

/** What tells this database from any other, whatever the address that leads to it: the engine gives each table an id of its own. Null where it gives none. */
export const databaseId = async (clickhouse: Clickhouse): Promise<string | null> => {
  const [row] = await clickhouse.rows(
    `SELECT toString(uuid) AS id FROM system.tables WHERE database = currentDatabase() AND name = '${tables.events}'`,
  );
  const id = row?.['id'];
  return typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id) && !/^[0-]+$/.test(id) ? id : null;
};
