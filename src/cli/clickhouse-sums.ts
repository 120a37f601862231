import type { LogBounds } from '../bus/event-log.ts';
import type { ArmEvidence, EvidenceAt } from '../domain/routing/evidence.ts';
import { explainError, readClickhouse, wholeNumber } from '../projections/clickhouse.ts';
import { currentChain, inSpans, readEpochs, spansOf } from '../projections/epochs.ts';
import { checkpointOf } from '../projections/position.ts';
import { tables } from '../projections/table.ts';
import type { Located } from './locate.ts';
import type { Terminal } from './terminal.ts';

/**
 * The evidence that ClickHouse holds, up to at most a sequence. Null, with a note that says why, when it cannot be asked or belongs to another log: the log
 * alone is enough.
 */
export const sumsOf =
  (terminal: Terminal, { settings, sql }: Located, { createdAt }: LogBounds) =>
  async (upTo: number): Promise<EvidenceAt | null> => {
    const { clickhouse: config } = settings.config;
    const clickhouse = readClickhouse(
      { kind: 'server', url: sql.url, database: config.database, user: config.user, password: settings.secrets.clickhousePassword },
      { requestTimeoutMs: config.queryTimeoutMs },
    );
    try {
      const chain = currentChain(await readEpochs(clickhouse));
      if (chain.at(-1)?.streamCreatedAt !== createdAt) {
        terminal.note('ClickHouse holds another log than this one, or nothing yet: the log alone is read');
        return null;
      }
      const spans = spansOf(chain);
      const at = Math.min(upTo, await checkpointOf(clickhouse, spans));
      const rows = await clickhouse.rows(
        `SELECT arm, ${sums.map((name) => `sum(evidence_${name}) AS ${name}`).join(', ')} FROM ${tables.events} WHERE type = 'reward.recorded' AND ${inSpans(spans)} AND sequence <= ${at} GROUP BY arm`,
      );
      const evidence = rows.map(
        (row) => [String(row['arm']), Object.fromEntries(sums.map((name) => [name, wholeNumber(row, name)]))] as const,
      );
      return { sequence: at, evidence: new Map(evidence as readonly (readonly [string, ArmEvidence])[]) };
    } catch (error) {
      terminal.note(`ClickHouse at ${sql.url} (${sql.source}) cannot be asked, the log alone is read: ${explainError(error)}`);
      return null;
    } finally {
      await clickhouse.close();
    }
  };

const sums = ['trials', 'success', 'streaming', 'cache', 'cost'] as const;
