import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { baselinesOf } from '../../src/demo/baselines.ts';
import { planFromRecords, planFromSimulation } from '../../src/demo/plan.ts';
import { shuffled } from '../../src/demo/shuffle.ts';
import { madeUpRows } from './recorded-data.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'switchyard-test-plan-'));
  await writeFile(path.join(folder, 'a.jsonl.gz'), gzipSync(madeUpRows(12)));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a plan from records', () => {
  it('has each prompt once, in an order that follows from the seed', async () => {
    const plan = await planFromRecords(folder, { seed: 1 });
    expect(new Set(plan.prompts).size).toBe(12);
    expect((await planFromRecords(folder, { seed: 1 })).prompts).toEqual(plan.prompts);
    expect((await planFromRecords(folder, { seed: 2 })).prompts).not.toEqual(plan.prompts);
    expect((await planFromRecords(folder, { seed: 1, limit: 5 })).prompts).toEqual(plan.prompts.slice(0, 5));
  });

  it('makes an arm of each model that the files name, in a configuration that holds', async () => {
    const { models, config } = await planFromRecords(folder, { seed: 1 });
    expect(models).toEqual(['maker/small-1.0', 'maker/large-2.0']);
    expect(configSchema.parse(config).arms.map(({ id }) => id)).toEqual(models);
  });

  it('refuses a row that lacks one of the models, by its place', async () => {
    const lacking = await mkdtemp(path.join(tmpdir(), 'switchyard-test-plan-'));
    await writeFile(path.join(lacking, 'b.jsonl'), `${madeUpRows(1)}{"prompt":"x","arms":{"maker/small-1.0":{"reward":1,"cost":0}}}\n`);
    await expect(planFromRecords(lacking, { seed: 1 })).rejects.toThrow(
      /b\.jsonl:2: expected each of maker\/small-1\.0, maker\/large-2\.0, got maker\/small-1\.0/,
    );
    await rm(lacking, { recursive: true });
  });

  it('knows what always one model would have scored and cost', async () => {
    const { rows, models } = await planFromRecords(folder, { seed: 1 });
    // Rows 0..11: small scores 1 on every third prompt and else 0.5, large 0.8 always; they cost 0.001 and 0.01.
    expect(baselinesOf(rows ?? [], models)).toEqual([
      { name: 'always maker/small-1.0', reward: expect.closeTo(8 / 12, 9) as number, costUsd: expect.closeTo(0.001, 9) as number },
      { name: 'always maker/large-2.0', reward: expect.closeTo(0.8, 9) as number, costUsd: expect.closeTo(0.01, 9) as number },
      {
        name: 'best of each prompt',
        reward: expect.closeTo((4 + 8 * 0.8) / 12, 9) as number,
        costUsd: expect.closeTo((4 * 0.001 + 8 * 0.01) / 12, 9) as number,
      },
    ]);
  });
});

describe('a plan without data', () => {
  it('has only simulated models, and prompts of which some come twice', () => {
    const plan = planFromSimulation({ seed: 1 });
    const { models } = configSchema.parse(plan.config);
    expect(models.every(({ provider }) => provider.kind === 'simulated')).toBe(true);
    expect(plan.rows).toBeNull();
    expect(new Set(plan.prompts).size).toBeLessThan(plan.prompts.length);
    expect(planFromSimulation({ seed: 1 }).prompts).toEqual(plan.prompts);
  });
});

describe('shuffling', () => {
  it('keeps every item, and moves each to every place about equally often', () => {
    const counts = Array.from({ length: 5 }, () => [0, 0, 0, 0, 0]);
    for (let seed = 0; seed < 2_000; seed++) {
      const order = shuffled([0, 1, 2, 3, 4], seed);
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
      order.forEach((item, place) => counts[item]![place]!++);
    }
    // 400 expected in each cell; five standard deviations are 90. Fixed seeds: it always gives the same.
    for (const count of counts.flat()) expect(Math.abs(count - 400)).toBeLessThan(90);
  });
});
