import type { DataOf, Tenant } from '../../events/index.ts';
import { addBlock, type Evidence } from './evidence.ts';
import { partition, sumsOfBlock } from './series.ts';
import { evidenceFields, type Sums } from './sums.ts';
import type { Pace, PaceTotals } from './pacing.ts';
import { emptyRouterState, ruleOf, type RouterState } from './state.ts';

/**
 * The router's state as plain data, in one order: what ClickHouse sums, what is compared byte by byte, what people are shown. Two states that were folded from the same events have equal
 * snapshots, in whatever order they were folded.
 */
export type StateSnapshot = {
  readonly sequence: number;
  readonly latestTick: number;
  readonly blocks: readonly BlockSnapshot[];
  readonly chosen: readonly { readonly arm: string; readonly decided: number; readonly ended: number }[];
  readonly totals: readonly ({ readonly tenant: Tenant } & PaceTotals)[];
  readonly paces: readonly ({ readonly tenant: Tenant } & Pace)[];
  readonly policy: DataOf<'policy.activated'> | null;
  readonly configured: { readonly version: string; readonly change: number } | null;
  readonly canary: DataOf<'policy.canary_started'> | null;
  readonly canaryEnded: DataOf<'policy.canary_ended'> | null;
  readonly trial: { readonly change: number; readonly stable: readonly number[]; readonly canary: readonly number[] };
};

/** One number of `sums` for each of `evidenceFields`. `startTick` is the first of the block in the partition at `latestTick`. */
export type BlockSnapshot = { readonly arm: string; readonly cell: string; readonly startTick: number; readonly sums: readonly number[] };

export const emptySnapshot: StateSnapshot = {
  sequence: 0,
  latestTick: 0,
  blocks: [],
  chosen: [],
  totals: [],
  paces: [],
  policy: null,
  configured: null,
  canary: null,
  canaryEnded: null,
  trial: { change: 0, stable: evidenceFields.map(() => 0), canary: evidenceFields.map(() => 0) },
};

export const snapshotOf = (state: RouterState): StateSnapshot => ({
  sequence: state.sequence,
  latestTick: state.evidence.latestTick,
  blocks: blocksOf(state.evidence),
  chosen: [...state.chosen].map(([arm, counts]) => ({ arm, ...counts })).sort(by(({ arm }) => arm)),
  totals: [...state.totals].map(([tenant, totals]) => ({ tenant, ...totals })).sort(by(({ tenant }) => tenant)),
  paces: [...state.paces].map(([tenant, pace]) => ({ tenant, ...paceOf(pace) })).sort(by(({ tenant }) => tenant)),
  policy: state.policy?.event ?? null,
  configured: state.configured,
  canary: state.canary?.event ?? null,
  canaryEnded: state.canaryEnded,
  trial: { change: state.trial.change, stable: [...state.trial.stable], canary: [...state.trial.canary] },
});

export const stateOf = (snapshot: StateSnapshot): RouterState => {
  const state = emptyRouterState(snapshot.sequence);
  state.evidence.latestTick = snapshot.latestTick;
  for (const { arm, cell, startTick, sums } of snapshot.blocks) addBlock(state.evidence, arm, cell, startTick, Float64Array.from(sums));
  for (const { arm, decided, ended } of snapshot.chosen) state.chosen.set(arm, { decided, ended });
  for (const { tenant, ...totals } of snapshot.totals) state.totals.set(tenant, totals);
  for (const { tenant, ...pace } of snapshot.paces) state.paces.set(tenant, pace);
  const { policy, canary, trial } = snapshot;
  state.policy = policy === null ? null : { event: policy, rule: ruleOf(policy) };
  state.configured = snapshot.configured;
  state.canary = canary === null ? null : { event: canary, rule: ruleOf(canary) };
  state.canaryEnded = snapshot.canaryEnded;
  state.trial = { change: trial.change, stable: Float64Array.from(trial.stable), canary: Float64Array.from(trial.canary) };
  return state;
};

const blocksOf = (evidence: Evidence): readonly BlockSnapshot[] => {
  const found: BlockSnapshot[] = [];
  for (const [arm, series] of sorted(evidence.arms))
    for (const [cell, one] of sorted(series.cells)) {
      partition(one, evidence.latestTick);
      one.starts.forEach((startTick, block) => found.push({ arm, cell, startTick, sums: plain(sumsOfBlock(one, block)) }));
    }
  return found;
};

/** What an event of pacing may hold beyond the pace is no state. */
const paceOf = ({ step, usdPerRequest, latencyTargetMs, rewardPerUsd, rewardPerSecond, totals, creditNanoUsd }: Pace): Pace => ({
  step,
  usdPerRequest,
  latencyTargetMs,
  rewardPerUsd,
  rewardPerSecond,
  totals,
  creditNanoUsd,
});

const plain = (sums: Sums): readonly number[] => Array.from(sums);

const sorted = <Value>(map: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] => [...map].sort(by(([key]) => key));

const by =
  <Item>(key: (item: Item) => string) =>
  (a: Item, b: Item): number =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
