import { z } from 'zod';
import { boundedIntervalOf } from '../domain/comparison/bounded-mean.ts';
import { intervalOf, type PlainMean } from '../domain/comparison/plain-mean.ts';
import { breakerIsOpen } from '../domain/routing/breaker.ts';
import type { PolicyContent } from '../domain/routing/policy-version.ts';
import type { StateSnapshot } from '../domain/routing/snapshot.ts';
import { runningCanary, type RouterState } from '../domain/routing/state.ts';
import { stateOf } from '../domain/routing/snapshot.ts';
import { tickOf } from '../domain/routing/time-blocks.ts';
import { PermanentError, TransientError } from '../errors.ts';
import {
  brokenOff,
  confidence,
  counted,
  failed,
  forEachMeasure,
  measureNames,
  plainSchema,
  plainSql,
  routedSql,
  type Measure,
} from './arms-sql.ts';
import { rowsFromClickhouse } from './ask-clickhouse.ts';
import { CommandError } from './exit-codes.ts';
import { locateYard, type AddressOptions, type Located } from './locate.ts';
import { grouped, milliseconds, nanoUsd, percent } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { periodOf, type PeriodOptions } from './period.ts';
import { stateNow, type StateNow } from './state-now.ts';
import { writeTable } from './table.ts';
import { requireTenant } from './tenant.ts';
import type { Terminal } from './terminal.ts';

/** Each arm over a period, from ClickHouse, and what holds for it now, from the state of the router. */
export const showArms = async (terminal: Terminal, options: AddressOptions & PeriodOptions): Promise<void> => {
  const located = locateYard(options);
  const signal = terminal.interrupted();
  const { where, parameters, inWords } = periodOf(options);
  await requireTenant(located, options.tenant, signal);
  const rows = await rowsFromClickhouse(located, armsSql(where), rowSchema, { parameters, signal });
  const now = await stateIfAny(terminal, located, signal);
  const arms = armsOf(rows, now === null ? null : stateOf(now.snapshot), Date.now());
  await (options.json === true
    ? terminal.json({ decisions: decisionsOf(arms), confidence, arms, state: now === null ? null : stateFacts(now) })
    : show(terminal, arms, now, inWords));
};

/** Null, with a note that says why, when the log cannot be read: the period is shown all the same. */
const stateIfAny = async (terminal: Terminal, located: Located, signal: AbortSignal): Promise<StateNow | null> => {
  try {
    return await withBus(located, (bus) => stateNow(bus, { located, signal, note: terminal.note }));
  } catch (error) {
    if (!(error instanceof TransientError || error instanceof PermanentError || error instanceof CommandError)) throw error;
    terminal.note(`no router is live; policy and breakers are not known: ${error.message}`);
    return null;
  }
};

const armsSql = (where: string): string => `
SELECT
    r.arm AS arm,
    any(r.model) AS model,
    count() AS requests,
    countIf(r.outcome = 'open') AS open,
    countIf(${brokenOff}) AS brokenOff,
    countIf(${counted}) AS counted,
    countIf(${failed}) AS failures,
    countIf(r.simulated) AS simulated,
    avg(r.propensity) AS meanPropensity,
    ${measureNames.map((measure) => `${plainSql(measure)} AS ${measure}`).join(',\n    ')},
    ifNotFinite(quantileIf(0.95)(r.latency_ms, r.outcome = 'completed'), NULL) AS latencyMsP95
FROM (${routedSql(where)}) AS r
GROUP BY r.arm
ORDER BY r.arm`;

const maybe = z.number().nullable();
type Mean = { readonly mean: number; readonly low: number | null; readonly high: number | null } | null;
const meanSchema = (measure: Measure) =>
  plainSchema.transform((plain): Mean => {
    if (plain === null) return null;
    const interval = measure === 'costNanoUsd' || measure === 'latencyMs' ? amountIntervalOf(plain) : boundedIntervalOf(plain, confidence);
    return { mean: plain.mean, low: interval?.low ?? null, high: interval?.high ?? null };
  });
/** Student's t; costs and times are never below 0. */
const amountIntervalOf = (plain: PlainMean) => {
  const interval = intervalOf(plain, confidence);
  return interval === null ? null : { ...interval, low: Math.max(0, interval.low) };
};
const whole = z.coerce.number();
const rowSchema = z.object({
  arm: z.string(),
  model: z.string(),
  requests: whole,
  open: whole,
  brokenOff: whole,
  counted: whole,
  failures: whole,
  simulated: whole,
  meanPropensity: maybe,
  ...forEachMeasure(meanSchema),
  latencyMsP95: maybe,
});
type Row = z.infer<typeof rowSchema>;

type Arm = Row & {
  /** Of all decisions of the period. */
  readonly share: number | null;
  /** In the policy in force; null when that is not known. */
  readonly status: 'enabled' | 'disabled' | 'removed' | null;
  readonly breaker: 'closed' | 'open' | null;
};

/** Those that were chosen in the period, and those that could be now. */
const armsOf = (rows: readonly Row[], state: RouterState | null, nowMs: number): readonly Arm[] => {
  const decisions = decisionsOf(rows);
  const present = state?.policy?.event.arms ?? [];
  const unchosen = present.filter(({ arm }) => !rows.some((row) => row.arm === arm)).map(unchosenRow);
  return [...rows, ...unchosen]
    .map((row) => {
      const own = present.find(({ arm }) => arm === row.arm);
      return {
        ...row,
        share: decisions === 0 ? null : row.requests / decisions,
        status: state?.policy ? (own === undefined ? 'removed' : own.enabled ? 'enabled' : 'disabled') : null,
        breaker: state === null ? null : breakerIsOpen(state.evidence, row.arm, tickOf(nowMs)) ? 'open' : 'closed',
      } as const;
    })
    .sort((a, b) => (a.arm < b.arm ? -1 : 1));
};

const unchosenRow = ({ arm, model }: PolicyContent['arms'][number]): Row => ({
  arm,
  model,
  requests: 0,
  open: 0,
  brokenOff: 0,
  counted: 0,
  failures: 0,
  simulated: 0,
  meanPropensity: null,
  ...forEachMeasure(() => null),
  latencyMsP95: null,
});

const decisionsOf = (arms: readonly Pick<Row, 'requests'>[]): number => arms.reduce((sum, { requests }) => sum + requests, 0);

const stateFacts = ({ snapshot, source }: StateNow) => {
  const canary = runningCanary(stateOf(snapshot))?.event ?? null;
  return {
    sequence: snapshot.sequence,
    source,
    policy: snapshot.policy === null ? null : policyFacts(snapshot.policy),
    canary: canary === null ? null : { ...policyFacts(canary), share: canary.share },
  };
};

const policyFacts = ({ policy, spec, change }: NonNullable<StateSnapshot['policy' | 'canary']>) => ({ ...policy, kind: spec.kind, change });

const right = (title: string) => ({ title, align: 'right' as const });
const columns = [
  { title: 'arm' },
  ...['share', 'requests', 'reward', 'success', 'streaming', 'cache', 'cost', 'mean cost', 'mean latency', 'p95', 'failed'].map(right),
  { title: 'breaker' },
];

const show = async (terminal: Terminal, arms: readonly Arm[], now: StateNow | null, period: string): Promise<void> => {
  if (arms.length > 0) await writeTable(terminal, columns, arms.map(cellsOf));
  const sum = (field: 'open' | 'brokenOff' | 'simulated') => arms.reduce((total, arm) => total + arm[field], 0);
  const decisions = decisionsOf(arms);
  if (decisions === 0) await terminal.line(`${arms.length > 0 ? '\n' : ''}no decisions${period}`);
  else
    await terminal.line(
      `\n${grouped(decisions)} decisions, ${grouped(sum('open'))} of them still open and ${grouped(sum('brokenOff'))} broken off; means with their ${percent(confidence)} intervals`,
    );
  if (sum('simulated') > 0) await terminal.line('simulated models took part: their figures are declared, not measured');
  if (now === null) return;
  const { sequence, source, policy, canary } = stateFacts(now);
  await terminal.line(`state at sequence ${sequence}, ${source === 'live' ? 'equal to that of a live router' : 'from the log'}`);
  if (policy !== null) await terminal.line(`policy ${policy.id} ${policy.version}, ${policy.kind}, change ${policy.change}`);
  if (canary !== null)
    await terminal.line(`canary ${canary.id} ${canary.version}, ${canary.kind}, for ${percent(canary.share)} of the requests`);
};

const cellsOf = (arm: Arm): readonly string[] => [
  arm.arm,
  arm.share === null ? '-' : `${(100 * arm.share).toFixed(1)} %`,
  grouped(arm.requests),
  ...[arm.reward, arm.success, arm.streaming, arm.cache, arm.cost].map((mean) => withInterval(mean, share)),
  withInterval(arm.costNanoUsd, nanoUsd),
  withInterval(arm.latencyMs, milliseconds),
  arm.latencyMsP95 === null ? '-' : milliseconds(arm.latencyMsP95),
  arm.counted === 0 ? '-' : `${grouped(arm.failures)} (${percent(arm.failures / arm.counted)})`,
  arm.status === 'disabled' || arm.status === 'removed' ? arm.status : (arm.breaker ?? '-'),
];

const share = (value: number): string => value.toFixed(3);

/** `\u00b1` where the interval reaches as far up as down, else its ends. */
const withInterval = (mean: Mean, say: (value: number) => string): string => {
  if (mean === null) return '-';
  const { mean: middle, low, high } = mean;
  if (low === null || high === null) return say(middle);
  const isEven = Math.abs(high - middle - (middle - low)) <= 1e-9 * high;
  return isEven ? `${say(middle)} \u00b1${say(high - middle)}` : `${say(middle)} (${say(low)} to ${say(high)})`;
};
