import type { RewardWeights } from '../domain/reward/reward.ts';
import type { ArmSummary, PolicySummary, StateSummary } from '../domain/routing/summary.ts';
import { rewardSum } from '../domain/routing/reading.ts';
import { evidenceFields } from '../domain/routing/sums.ts';
import { grouped, micro, milliseconds, nanoUsd, percent } from './numbers.ts';
import { writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** What the router knows, for people: each arm over all requests and all time, the policy in force and the prices of tenants with a budget. */
export const showState = async (terminal: Terminal, state: StateSummary, weights: RewardWeights): Promise<void> => {
  await writeTable(
    terminal,
    armColumns,
    state.arms.map((arm) => armRow(arm, weights)),
  );
  await terminal.line(`\npolicy in force: ${state.policy === null ? 'none yet' : policyText(state.policy)}`);
  const { canary, canaryEnded } = state;
  if (canary !== null)
    await terminal.line(
      canaryEnded !== null && canaryEnded.change >= canary.change
        ? `last canary:     ${policyText(canary)}, ${canaryEnded.outcome}: ${canaryEnded.reason}`
        : `canary:          ${policyText(canary)}, for ${percent(canary.share)} of the requests`,
    );
  if (state.paces.length === 0) return;
  await terminal.line('');
  await writeTable(
    terminal,
    [{ title: 'tenant' }, right('step'), right('budget'), right('latency target'), right('reward per $'), right('reward per s')],
    state.paces.map(({ tenant, step, usdPerRequest, latencyTargetMs, rewardPerUsd, rewardPerSecond }) => [
      tenant,
      grouped(step),
      usdPerRequest === null ? '-' : nanoUsd(usdPerRequest * 1e9),
      latencyTargetMs === null ? '-' : milliseconds(latencyTargetMs),
      rewardPerUsd.toPrecision(3),
      rewardPerSecond.toPrecision(3),
    ]),
  );
};

const right = (title: string) => ({ title, align: 'right' as const });

const armColumns = [
  { title: 'arm' },
  ...[
    'trials',
    'reward',
    'success',
    'streaming',
    'cache',
    'cost',
    'failed',
    'mean cost',
    'mean latency',
    'decided',
    'ended',
    'cells',
    'blocks',
  ].map(right),
];

const armRow = ({ arm, all, decided, ended, cells, blocks }: ArmSummary, weights: RewardWeights): readonly (string | number)[] => {
  const per = (count: number, text: (mean: number) => string, sum: number) => (count === 0 ? '-' : text(sum / count));
  const { trials, measured } = all;
  const reward = rewardSum(
    Float64Array.from(evidenceFields, (field) => all[field]),
    weights,
  );
  return [
    arm,
    grouped(trials),
    per(trials, (mean) => mean.toFixed(4), reward),
    ...[all.success, all.streaming, all.cache, all.cost].map((sum) => per(trials, micro, sum)),
    grouped(all.failures),
    per(measured, nanoUsd, all.costNanoUsd),
    per(measured, milliseconds, all.latencyMs),
    grouped(decided),
    grouped(ended),
    grouped(cells),
    grouped(blocks),
  ];
};

const policyText = ({ id, version, kind, change }: PolicySummary): string => `${id} ${version} (${kind}), change ${change}`;
