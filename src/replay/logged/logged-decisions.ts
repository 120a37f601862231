import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { PermanentError } from '../../errors.ts';
import type { PolicyContent } from '../../domain/routing/policy-version.ts';
import { emptyRouterState, foldEvent } from '../../domain/routing/state.ts';
import type { Columns } from '../../projections/arrow-columns.ts';
import { literal, wholeNumber, type Clickhouse, type Row } from '../../projections/clickhouse.ts';
import { currentChain, inSpans, readEpochs, spansOf } from '../../projections/epochs.ts';
import { latestRecords } from '../../projections/state-sums.ts';
import { armsSql, binsSql, floorsSql, lastSequenceSql, pageSql, periodSql, type PageBounds } from './decisions-sql.ts';
import { openDecisions } from './decisions-of-page.ts';
import { decisionPage, isWeighedAsDecided, type DecisionPage } from './decision-page.ts';
import type { LoggedDecision } from './logged-decision.ts';
import { weightBound, type WeightBound } from './weight-bound.ts';

/**
 * Logged decisions from ClickHouse, embedded or not, in the order of the log, each with what came of it. Read a page at a time, the next one while the last is worked on, so that a log of any length
 * takes the memory of two pages.
 *
 * 1. Only the current log is read: sequences of earlier ones name other messages. Within it each sequence belongs to one epoch.
 * 2. The period and the moment up to which outcomes count are frozen before the first page: what is appended meanwhile changes nothing.
 */
export type FrozenPeriod = {
  readonly logCreatedAt: string;
  /** Both ends included; of decisions that there are. */
  readonly fromSequence: number;
  readonly toSequence: number;
  readonly decisions: number;
  /** When the first was made. */
  readonly firstAtMs: number;
  readonly leastPropensity: number;
  readonly tenant: string | null;
  /** Outcomes and revisions after this sequence are not seen. */
  readonly outcomesUpTo: number;
};

export type PeriodQuestion = {
  readonly from?: Place | undefined;
  readonly to?: Place | undefined;
  readonly tenant?: string | undefined;
  readonly outcomesUpTo?: number | undefined;
};
export type Place = { readonly kind: 'sequence'; readonly sequence: number } | { readonly kind: 'time'; readonly timeMs: number };

/** Throws a PermanentError `empty_period` where there is no decision. */
export const freezePeriod = async (clickhouse: Clickhouse, { from, to, tenant, outcomesUpTo }: PeriodQuestion): Promise<FrozenPeriod> => {
  const chain = currentChain(await readEpochs(clickhouse));
  const rows = inSpans(spansOf(chain));
  const conditions = [rows, ...bound('>=', from), ...bound('<=', to), ...ofTenant(tenant ?? null)].join(' AND ');
  const [found] = await clickhouse.rows(periodSql(conditions));
  const decisions = wholeNumber(found, 'decisions');
  if (decisions === 0)
    throw new PermanentError(
      'empty_period',
      `expected decisions of the current log in the period${tenant === undefined ? '' : ` of the tenant "${tenant}"`}, got none: ./switchyard sql "SELECT stream_epoch, min(time), max(time), count() FROM decisions GROUP BY ALL" says what there is`,
    );
  const [last] = await clickhouse.rows(lastSequenceSql(rows));
  const lastSequence = wholeNumber(last, 'last_sequence');
  return {
    logCreatedAt: chain.at(-1)?.streamCreatedAt ?? '',
    fromSequence: wholeNumber(found, 'first_sequence'),
    toSequence: wholeNumber(found, 'last_sequence'),
    decisions,
    firstAtMs: wholeNumber(found, 'first_ms'),
    leastPropensity: Number(found?.['least_propensity']),
    tenant: tenant ?? null,
    outcomesUpTo: Math.min(outcomesUpTo ?? lastSequence, lastSequence),
  };
};

/**
 * What no weight can exceed, known before any record was: a candidate keeps its floor, or its part of 1 where floors exceed it together. Nothing is claimed where a policy has no floor.
 */
export const largestWeightIn = async (clickhouse: Clickhouse, { toSequence, leastPropensity }: FrozenPeriod): Promise<WeightBound> => {
  const rows = inSpans(spansOf(currentChain(await readEpochs(clickhouse))));
  const [found] = await clickhouse.rows(floorsSql(rows, toSequence));
  const floor = Number(found?.['floor']);
  const isKnown = wholeNumber(found, 'policies') > 0 && floor > 0;
  return weightBound(isKnown ? Math.max(1 / floor, wholeNumber(found, 'arms')) : null, leastPropensity);
};

/** Conditions on the table `events`: `rows` of the current log, and of these those in the period, of its tenant. */
export const conditionsOf = async (
  clickhouse: Clickhouse,
  { fromSequence, toSequence, tenant }: FrozenPeriod,
): Promise<{ readonly rows: string; readonly inPeriod: string }> => {
  const rows = inSpans(spansOf(currentChain(await readEpochs(clickhouse))));
  return { rows, inPeriod: [rows, `sequence >= ${fromSequence}`, `sequence <= ${toSequence}`, ...ofTenant(tenant)].join(' AND ') };
};

/** Of the policy in force at the end of the period, as the router has it; null where the log does not say. */
export const offeredIn = async (
  clickhouse: Clickhouse,
  { toSequence }: FrozenPeriod,
): Promise<Pick<PolicyContent, 'arms' | 'weights'> | null> => {
  const rows = inSpans(spansOf(currentChain(await readEpochs(clickhouse))));
  const state = emptyRouterState();
  // None of them is filed by time.
  for (const { event } of await latestRecords(clickhouse, `${rows} AND sequence <= ${toSequence}`)) foldEvent(state, event, Infinity);
  return state.policy?.event ?? null;
};

/** The arms that could be drawn in any decision of the period, by name. */
export const armsOfPeriod = async (clickhouse: Clickhouse, period: FrozenPeriod): Promise<readonly string[]> => {
  const [found] = await clickhouse.rows(armsSql((await conditionsOf(clickhouse, period)).inPeriod));
  return armsSchema.parse(found?.['arms']);
};
const armsSchema = z.array(z.string());

/** Measured: smaller pages spend their time on looking for outcomes, larger ones take memory. */
const defaultPageSize = 40_000;
/** Decisions that are objects at the same time. */
const batchSize = 4_000;
/** Stretches of the log that decisions are counted in, at most. */
const mostBins = 20_000;

export async function* readDecisions(
  clickhouse: Clickhouse,
  period: FrozenPeriod,
  options: { readonly pageSize?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<readonly LoggedDecision[], void, undefined> {
  const { pageSize = defaultPageSize, signal } = options;
  const { fromSequence, toSequence, outcomesUpTo } = period;
  const { rows, inPeriod: decisions } = await conditionsOf(clickhouse, period);
  const width = Math.ceil((toSequence - fromSequence + 1) / mostBins);
  const pages = pagesOf(fromSequence - 1, await clickhouse.rows(binsSql(decisions, width)), pageSize);

  const ask = (page: PageBounds | undefined) => {
    if (page === undefined) return null;
    const asked = clickhouse.columns(pageSql({ rows, decisions, outcomesUpTo }, page));
    // Whoever waits for it hears of a failure; nobody waits when the reader stops early.
    asked.catch(() => undefined);
    return asked;
  };
  const pageWith = async (columns: Columns, bounds: PageBounds): Promise<DecisionPage> => {
    const page = decisionPage(columns, { withWeights: false });
    if (isWeighedAsDecided(page)) return page;
    const again = await clickhouse.columns(pageSql({ rows, decisions, outcomesUpTo }, bounds, { withWeights: true }));
    return decisionPage(again, { withWeights: true });
  };
  let next = ask(pages[0]);
  for (const [i, bounds] of pages.entries()) {
    const columns = await next;
    if (columns === null) return;
    next = ask(pages[i + 1]);
    const page = await pageWith(columns, bounds);
    const decisionsOf = openDecisions(page);
    for (let from = 0; from < page.rows; from += batchSize) {
      // The next page is on its way: whoever works on this one leaves no time to take it in.
      await setImmediate();
      signal?.throwIfAborted();
      yield decisionsOf(from, from + batchSize);
    }
  }
}

/** Puts neighbouring stretches together while a page is not full. */
const pagesOf = (after: number, bins: readonly Row[], size: number): readonly PageBounds[] => {
  const pages: (PageBounds & { readonly decisions: number })[] = [];
  for (const bin of bins) {
    const [decisions, last] = [wholeNumber(bin, 'decisions'), wholeNumber(bin, 'last')];
    const [decidedFromMs, decidedToMs] = [wholeNumber(bin, 'decided_from_ms'), wholeNumber(bin, 'decided_to_ms')];
    const open = pages.at(-1);
    if (open === undefined || open.decisions + decisions > size)
      pages.push({ after: open?.last ?? after, last, decidedFromMs, decidedToMs, decisions });
    else
      pages[pages.length - 1] = {
        after: open.after,
        last,
        decidedFromMs: Math.min(open.decidedFromMs, decidedFromMs),
        decidedToMs: Math.max(open.decidedToMs, decidedToMs),
        decisions: open.decisions + decisions,
      };
  }
  return pages;
};

const ofTenant = (tenant: string | null): readonly string[] => (tenant === null ? [] : [`tenant = ${literal(tenant)}`]);

const bound = (sign: '>=' | '<=', place: Place | undefined): readonly string[] => {
  if (place === undefined) return [];
  return [
    place.kind === 'sequence'
      ? `sequence ${sign} ${place.sequence}`
      : `time ${sign} fromUnixTimestamp64Milli(${Math.floor(place.timeMs)}::Int64, 'UTC')`,
  ];
};
