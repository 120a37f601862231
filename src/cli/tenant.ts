import { z } from 'zod';
import { nearest } from '../config/nearest.ts';
import { rowsFromClickhouse } from './ask-clickhouse.ts';
import { usageError } from './exit-codes.ts';
import type { Located } from './locate.ts';

/** One sentence for a name that nobody has. */
export const unknownName = (option: string, seen: string, known: readonly string[]): string => {
  const meant = nearest(seen, known);
  return `${option}: expected one of ${known.slice(0, 12).join(', ')}${known.length > 12 ? ', ...' : ''}; got "${seen.slice(0, 128)}"${meant === null ? '' : `, perhaps "${meant}" is meant`}`;
};

/** Refuses a tenant that is neither in the configuration nor, from an earlier one, in any event that ClickHouse holds. */
export const requireTenant = async (located: Located, tenant: string | undefined, signal: AbortSignal): Promise<void> => {
  if (tenant === undefined) return;
  const configured: readonly string[] = located.settings.config.tenants.map(({ id }) => id);
  if (configured.includes(tenant)) return;
  const statement = `SELECT 1 AS seen FROM events WHERE tenant = {tenant:String} LIMIT 1`;
  const seen = await rowsFromClickhouse(located, statement, z.object({ seen: z.number() }), { parameters: { tenant }, signal });
  if (seen.length === 0) throw usageError(unknownName('--tenant', tenant, configured));
};
