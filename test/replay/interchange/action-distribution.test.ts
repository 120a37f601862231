import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { armsOf, distributionOf, slotsOf, type DistributionSpec } from '../../../src/replay/interchange/action-distribution.ts';
import { readActionDistribution } from '../../../src/replay/interchange/read-action-distribution.ts';
import { temporaryFolder } from './support/records.ts';

const folder = temporaryFolder();
afterAll(folder.remove);

const write = (name: string, content: unknown): string => {
  writeFileSync(folder.at(name), typeof content === 'string' ? content : JSON.stringify(content));
  return folder.at(name);
};

/** Item by position. */
const table = [
  [0.5, 0.25],
  [0.3, 0.25],
  [0.2, 0.5],
];

describe('a distribution over arms, by slot', () => {
  it('uniform is over the arms that are asked about', () => {
    expect([...distributionOf({ kind: 'uniform' })(3, ['a', 'b', 'c', 'd'])]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(armsOf({ kind: 'uniform' })).toBeNull();
  });

  it.each([
    ['a table with its sizes', { positions: 2, items: 3, probabilities: table }, ['0', '1', '2']],
    ['a table that names its items', { positions: 2, items: 3, probabilities: table, arms: ['0', 'x', 'y'] }, ['0', 'x', 'y']],
    ['a table alone', table, ['0', '1', '2']],
    ['a table for each round', [table, table, table], ['0', '1', '2']],
  ])('%s', async (_what, content, arms) => {
    const spec = await readActionDistribution(write('dist.json', content));
    expect([armsOf(spec), slotsOf(spec)]).toEqual([arms, 2]);
    const of = distributionOf(spec);
    expect([...of(0, arms)]).toEqual([0.5, 0.3, 0.2]);
    expect([...of(1, arms)]).toEqual([0.25, 0.25, 0.5]);
    // Another order, an arm that nobody knows, and one that is left out.
    expect([...of(0, [arms[2]!, 'nobody', '0'])]).toEqual([0.2, 0, 0.5]);
    expect(of(0, arms)).toBe(of(0, arms));
  });

  it('a prior is how often each arm is the best of independent draws, exactly, in every slot', async () => {
    // 1/3 and 2/3 for Beta(1,1) and Beta(2,1); the three by integration with another program.
    const prior =
      'two:\n  alpha: [1.0, 2.0]\n  beta: [1.0, 1.0]\nthree:\n  alpha:\n  - 10\n  - 12\n  - 5\n  beta:\n  - 20\n  - 18\n  - 5\n';
    const two = distributionOf(await readActionDistribution(write('prior.yaml', prior), 'two'));
    const arms = ['0', '1', '2'];
    expect(two(2, ['0', '1'])[0]).toBeCloseTo(1 / 3, 10);
    const three = [...distributionOf(await readActionDistribution(folder.at('prior.yaml'), 'three'))(0, arms)];
    [0.08570902950094868, 0.24409116649977614, 0.6701998039992656].forEach((expected, i) => {
      expect(three[i]).toBeCloseTo(expected, 10);
    });
    await expect(readActionDistribution(folder.at('prior.yaml'))).rejects.toThrow(
      'expected the name of a campaign, the file has two, three',
    );
    await expect(readActionDistribution(folder.at('prior.yaml'), 'men')).rejects.toThrow(
      'expected the campaign "men", the file has two, three',
    );
    const alone = await readActionDistribution(write('one.yaml', 'men: { alpha: [1, 2], beta: [1, 1] }'));
    expect(alone).toEqual({ kind: 'beta', arms: ['0', '1'], alpha: [1, 2], beta: [1, 1] });
  });

  it('says so when the log has other slots or other arms', () => {
    const spec: DistributionSpec = { kind: 'table', arms: ['0', '1', '2'], probabilities: table };
    expect(() => distributionOf(spec)(2, ['0'])).toThrow('expected records of 2 slots, as the distribution has, got slot 2');
    expect(() => distributionOf(spec)(0, ['large', 'small'])).toThrow(
      'expected arms that the distribution knows (0, 1, 2), got large, small',
    );
  });
});

describe('a mistake is told', () => {
  it.each([
    ['wrong.json', '[', 'expected JSON in a file *.json'],
    ['wrong.json', [[0.5], [0.4]], 'expected probabilities that sum to 1 in position 1, got 0.9'],
    ['wrong.json', [[1, 0.5], [0]], 'expected 2 probabilities of item 1, got 1'],
    ['wrong.json', [[1.5], [-0.5]], 'expected a table of probabilities by item and position; at 0.0: '],
    ['wrong.json', [table, [[1], [0]]], 'expected the same distribution in every round, got another in round 1'],
    ['wrong.json', { positions: 2, items: 4, probabilities: table }, 'expected probabilities of 4 items, got 3'],
    ['wrong.json', { positions: 3, items: 3, probabilities: table }, 'expected 3 probabilities of item 0, got 2'],
    ['wrong.json', { positions: 2, items: 3, probabilities: table, arms: ['a', 'a', 'b'] }, 'expected 3 different names in "arms"'],
    ['wrong.json', { probabilities: 'x' }, 'expected positions, items and probabilities; at '],
    ['wrong.json', 'null', 'expected "probabilities" by item and position, or "alpha" and "beta" of a campaign'],
    ['wrong.yaml', 'men: { alpha: [1, 2], beta: [1] }', 'expected as many beta as alpha, got 1 and 2'],
    ['wrong.yaml', 'men: { alpha: [0], beta: [1] }', 'expected alpha and beta; at alpha.0: '],
    ['wrong.yaml', 'men: {}', 'expected alpha and beta; at alpha: '],
    ['wrong.yaml', 'men: &a [*a]', 'expected JSON in a file *.json, and YAML in any other'],
  ])('%s %j', async (name, content, expected) => {
    await expect(readActionDistribution(write(name, content))).rejects.toThrow(expected);
  });
});
