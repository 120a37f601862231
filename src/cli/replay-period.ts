import type { Bus } from '../bus/bus.ts';
import { explainError, type Clickhouse } from '../projections/clickhouse.ts';
import { openMaterial, type Base, type Material } from '../replay/again/material.ts';
import type { PeriodOptions as ReplayedPeriod } from '../replay/again/decide-again.ts';
import type { BriefMessage } from '../replay/again/brief.ts';
import type { MessageRange } from '../replay/again/messages.ts';
import { nearest } from '../config/nearest.ts';
import { CommandError, exitCodes, usageError } from './exit-codes.ts';
import type { Located } from './locate.ts';
import { grouped } from './numbers.ts';
import type { PeriodOptions } from './period.ts';
import { firstFrom, lastUpTo, type Position } from './position.ts';
import { openProgress } from './progress.ts';
import { clickhouseOf } from './with-clickhouse.ts';

export type OpenPeriodOptions = PeriodOptions & { readonly logAlone?: true | undefined };

/** A period of the log that is decided again: frozen to sequences, with a state before its begin and the messages from there on. `use` is given it while log and ClickHouse are open, and reads it once. */
export const withPeriod = async <T, Read extends BriefMessage>(
  { log }: Pick<Bus, 'log'>,
  options: OpenPeriodOptions,
  parts: {
    readonly located: Located;
    readonly signal: AbortSignal;
    readonly note: (text: string) => void;
    readonly what: string;
    readonly prefer: 'log' | 'rows';
    readonly read: (material: Material, range: MessageRange) => AsyncIterable<Read>;
  },
  use: (period: ReplayedPeriod<Read>) => Promise<T>,
): Promise<T> => {
  const { located, signal, note } = parts;
  const clickhouse = options.logAlone === true ? null : await reachable(located, note);
  try {
    const material = await openMaterial({ log, clickhouse, prefer: parts.prefer });
    if (material.leftOut !== null) note(`${material.leftOut}: the log alone is read`);
    const { from, to } = await sequencesOf(material, options, note);
    const lagMessages = await material.longestLag({ from, to });
    const base = await material.stateUpTo(Math.max(0, from - 1 - lagMessages));
    if (base.missing > 0) note(missingNote(base, options.logAlone === true ? 'left-out' : clickhouse === null ? 'away' : 'asked'));
    const begin = base.snapshot.sequence + 1;
    const messages = parts.read(material, { from: begin, to, signal });
    return await use({
      messages: watched(messages, { what: parts.what, begin, to, signal }),
      base,
      from,
      to,
      tenant: options.tenant ?? null,
      lagMessages,
    });
  } finally {
    await clickhouse?.close();
  }
};

/** Whole events, or as much of them as another policy looks at. */
export const whole = (material: Material, range: MessageRange) => material.read(range);
export const briefly = (material: Material, range: MessageRange) => material.readBrief(range);

/** Null, with a note that says why, when it cannot be asked. */
const reachable = async (located: Located, note: (text: string) => void): Promise<Clickhouse | null> => {
  const clickhouse = clickhouseOf(located);
  try {
    await clickhouse.rows('SELECT 1');
    return clickhouse;
  } catch (error) {
    await clickhouse.close();
    note(`ClickHouse cannot be asked, the log alone is read: ${explainError(error)}`);
    return null;
  }
};

const sequencesOf = async (
  material: Material,
  options: { readonly from?: Position; readonly to?: Position },
  note: (text: string) => void,
): Promise<{ readonly from: number; readonly to: number }> => {
  const { bounds } = material;
  if (bounds.last < bounds.first) throw usageError('expected a log with decisions in it, got one that is empty');
  const from: number = options.from === undefined ? bounds.first : await firstFrom(material, bounds, options.from);
  const to: number = options.to === undefined ? bounds.last : await lastUpTo(material, bounds, options.to);
  if (from > bounds.last) throw usageError(`--from: expected a place in the log, which ends at ${bounds.last}; got one after it`);
  if (to < bounds.first) throw usageError(`--to: expected a place in the log, which begins at ${bounds.first}; got one before it`);
  if (to < from) throw usageError(`--to: expected a place at or after --from (${from}), got ${to}`);
  if (options.from?.kind === 'sequence' && options.from.sequence < from)
    note(`what is known of the log begins at ${from}: so does the period`);
  if (options.to?.kind === 'sequence' && options.to.sequence > to) note(`the log ends at ${to}: so does the period`);
  return { from, to };
};

const missingNote = ({ missing, snapshot }: Base, clickhouse: keyof typeof missingFrom): string =>
  `${grouped(missing)} messages up to ${snapshot.sequence} are not in ${missingFrom[clickhouse]}: decisions that rest on them come out differently`;

const missingFrom = {
  asked: 'ClickHouse',
  away: 'the log any more, and ClickHouse, which remembers them, is not there',
  'left-out': 'the log any more, and ClickHouse, which may remember them, is left out (--log-alone)',
} as const;

/** The bar is drawn anew after so many messages. */
const stride = 500;

async function* watched<Read extends BriefMessage>(
  messages: AsyncIterable<Read>,
  { what, begin, to, signal }: { readonly what: string; readonly begin: number; readonly to: number; readonly signal: AbortSignal },
): AsyncGenerator<Read, void, undefined> {
  const progress = openProgress(what, Math.max(0, to - begin + 1));
  let read = 0;
  try {
    for await (const message of messages) {
      if (++read % stride === 0) {
        progress.update(message.sequence - begin);
        signal.throwIfAborted();
      }
      yield message;
    }
  } finally {
    progress.stop();
  }
}

/** A period without decisions answers no question: an error, which says what was looked at. */
export const noDecisions = ({ from, to, tenant }: Pick<ReplayedPeriod, 'from' | 'to' | 'tenant'>, { settings }: Located): CommandError => {
  const tenants = settings.config.tenants.map(({ id }) => id);
  if (tenant !== null && !tenants.some((known) => known === tenant)) {
    const meant = nearest(tenant, tenants);
    return usageError(
      `--tenant: expected a tenant with decisions from ${from} to ${to}, such as ${tenants.slice(0, 8).join(', ')}; got "${tenant.slice(0, 64)}"${meant === null ? '' : `, perhaps "${meant}" is meant`}`,
    );
  }
  return new CommandError(
    exitCodes.usage,
    `expected at least one decision from ${from} to ${to}${tenant === null ? '' : ` of tenant ${tenant}`}, got none: nothing was routed then`,
  );
};
