import { policySpecSchema } from '../src/events/schemas/policy.ts';
import type { PolicySpec } from '../src/events/index.ts';
import { delayed, regretOf, stationary, switching, type Bandit } from './routing/bernoulli.ts';
import type { Mark } from './marks.ts';
import type { BenchContext, Benchmark } from './report.ts';

/**
 * Regret on the environments of the literature, through the policy port: arms that pay 1 or 0, one request a second. Plain Thompson sampling has to agree with what others published of it; where arms change,
 * one configuration of forgetting for all environments has to be as good as discounted Thompson sampling tuned for each.
 */
const plain = policySpecSchema.parse({
  kind: 'beta-bernoulli-thompson',
  floor: 0,
  trial: { requests: 0, share: 0 },
  memory: { halfLifeSeconds: null, falseAlarm: null },
});
const halfLifeSeconds = 1_000;
const forgetting = policySpecSchema.parse({
  kind: 'beta-bernoulli-thompson',
  floor: 0,
  trial: { requests: 0, share: 0 },
  memory: { halfLifeSeconds },
});

const stationaryRuns = 100;
const switchingRuns = 40;
const delayRuns = 3;

export const regret: Benchmark = {
  summary: 'regret of the policies on stationary, switching and delayed bandits, beside published figures',
  run: async (context) => {
    const rows: (string | number | null)[][] = [];
    const marks: Mark[] = [];
    for (const { bandit, published, publishedError } of stationary) {
      const { mean, error } = await runs(bandit, plain, stationaryRuns, context);
      rows.push([bandit.name, 'plain Thompson', mean.toFixed(1), error.toFixed(1), published]);
      marks.push({
        name: `${bandit.name}: distance from the published, in standard errors of the difference`,
        value: Number((Math.abs(mean - published) / Math.hypot(error, publishedError)).toFixed(2)),
        comparison: '<=',
        threshold: 2,
        unit: '',
      });
    }
    for (const { bandit, tunedDiscounted, plain: publishedPlain } of switching) {
      const unaware = await runs(bandit, plain, Math.ceil(switchingRuns / 4), context);
      rows.push([bandit.name, 'plain Thompson', unaware.mean.toFixed(1), unaware.error.toFixed(1), publishedPlain]);
      const { mean, error } = await runs(bandit, forgetting, switchingRuns, context);
      rows.push([bandit.name, 'forgetting, one configuration', mean.toFixed(1), error.toFixed(1), tunedDiscounted]);
      marks.push({
        name: `${bandit.name}: regret`,
        value: Number(mean.toFixed(1)),
        comparison: '<=',
        threshold: tunedDiscounted,
        unit: '',
      });
    }
    for (const { bandit, published } of delayed) {
      const { mean, error } = await runs(bandit, plain, delayRuns, context);
      rows.push([bandit.name, 'plain Thompson', mean.toFixed(0), error.toFixed(0), published]);
      marks.push({
        name: `${bandit.name}: share by which regret differs from the published`,
        value: Number((Math.abs(mean - published) / published).toFixed(3)),
        comparison: '<=',
        threshold: 0.1,
        unit: '',
      });
    }
    return {
      settings: {
        stationaryRuns: scaled(stationaryRuns, context),
        switchingRuns: scaled(switchingRuns, context),
        delayRuns: scaled(delayRuns, context),
        halfLifeSeconds,
        requestsPerSecond: 1,
        seeds: 'the number of the run',
      },
      tables: [{ title: 'Regret', columns: ['environment', 'policy', 'mean', 'standard error', 'published'], rows }],
      marks,
      notMeasured: ['published for the switching environments: the best of discounted Thompson samplers tuned for each'],
    };
  },
};

const scaled = (count: number, { scale }: BenchContext): number => Math.max(1, Math.round(count * scale));

const runs = async (
  bandit: Bandit,
  spec: PolicySpec,
  count: number,
  context: BenchContext,
): Promise<{ readonly mean: number; readonly error: number }> => {
  const regrets: number[] = [];
  for (let run = 0; run < scaled(count, context); run++) {
    await new Promise(setImmediate);
    context.signal.throwIfAborted();
    regrets.push(regretOf(bandit, spec, String(run)));
  }
  const mean = regrets.reduce((sum, value) => sum + value, 0) / regrets.length;
  const variance = regrets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, regrets.length - 1);
  context.note(`${bandit.name}: ${mean.toFixed(1)}`);
  return { mean, error: Math.sqrt(variance / regrets.length) };
};
