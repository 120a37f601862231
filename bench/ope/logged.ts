import type { Sample } from '../../src/domain/evaluation/sample.ts';
import { cellsFor } from '../../src/domain/routing/filing.ts';
import { seededRandom } from '../../src/domain/random.ts';
import type { PolicySpec } from '../../src/events/index.ts';
import { openRewardModel } from '../../src/replay/evaluation/reward-model.ts';
import { createLearner } from '../routing/learner.ts';
import { beginMs, stepMs } from '../routing/play.ts';
import type { Candidate, World } from './world.ts';

/** A log: prompts drawn anew from the world, decided by a router that learns from each reward before the next decision. */
export type Log = {
  readonly prompts: Uint32Array;
  readonly arms: Uint8Array;
  readonly propensities: Float64Array;
  /** Of all arms, of one record after the other. */
  readonly allPropensities: Float64Array;
  readonly rewards: Float64Array;
};

export const makeLog = (world: World, spec: PolicySpec, size: number, seed: string): Log => {
  const random = seededRandom(seed);
  const learner = createLearner({ spec, arms: world.arms });
  const log: Log = {
    prompts: new Uint32Array(size),
    arms: new Uint8Array(size),
    propensities: new Float64Array(size),
    allPropensities: new Float64Array(size * world.arms.length),
    rewards: new Float64Array(size),
  };
  for (let i = 0; i < size; i++) {
    const at = Math.floor(random() * world.prompts.length);
    const prompt = world.prompts[at];
    if (prompt === undefined) continue;
    const atMs = beginMs + i * stepMs;
    const choice = learner.decide({ features: prompt.features, atMs, draw: random() });
    const arm = world.arms.indexOf(choice.arm);
    const reward = prompt.reward[arm] ?? 0;
    learner.learn(choice, prompt.features, { atMs, success: reward });
    log.prompts[i] = at;
    log.arms[i] = arm;
    log.propensities[i] = choice.propensity;
    for (const candidate of choice.candidates)
      log.allPropensities[i * world.arms.length + world.arms.indexOf(candidate.arm)] = candidate.propensity;
    log.rewards[i] = reward;
  }
  return log;
};

/** As an evaluation sees it. Each record is predicted from those before it, see the reward model. */
export const sampleOf = (world: World, { prompts, arms, propensities, allPropensities, rewards }: Log, candidate: Candidate): Sample => {
  const size = prompts.length;
  const sample = {
    size,
    outcome: rewards,
    logged: propensities,
    candidate: new Float64Array(size),
    predicted: new Float64Array(size),
    expected: new Float64Array(size),
    unsupported: new Float64Array(size),
    weightLimit: new Float64Array(size),
    cluster: Uint32Array.from(prompts.keys()),
  };
  const model = openRewardModel('past', 1);
  const numbers = world.arms.map((arm) => model.armOf(arm));
  const value = new Float64Array(1);
  for (let i = 0; i < size; i++) {
    const prompt = world.prompts[prompts[i] ?? 0];
    if (prompt === undefined) continue;
    const shares = candidate.shares(prompt);
    const cells = model.cellsOf(cellsFor(prompt.features).slice(1));
    const logged = arms[i] ?? 0;
    sample.candidate[i] = shares[logged] ?? 0;
    for (let arm = 0; arm < numbers.length; arm++) {
      model.predict(numbers[arm] ?? 0, cells, 0, value, 0);
      const q = value[0] ?? 0;
      sample.expected[i] = (sample.expected[i] ?? 0) + (shares[arm] ?? 0) * q;
      if (arm === logged) sample.predicted[i] = q;
      sample.weightLimit[i] = Math.max(sample.weightLimit[i] ?? 0, (shares[arm] ?? 0) / (allPropensities[i * numbers.length + arm] ?? 0));
    }
    value[0] = rewards[i] ?? 0;
    model.add(numbers[logged] ?? 0, cells, 0, value);
  }
  return sample;
};
