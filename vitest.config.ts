import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that wait for processes to die and to come back go first: the longest of them, begun last, would run for two minutes alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

const isLong = ({ moduleId }: TestSpecification): boolean => /[\\/]test[\\/](faults|integration)[\\/]/.test(moduleId);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Many wait for others: three keep two cores busy. All of them pass beside two more programs that only count, too.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Bounds alone, nothing waits for them: chains of processes take long beside other tests.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
