import type { Bus } from '../src/bus/bus.ts';
import { countLog } from '../src/demo/count-log.ts';
import { drain } from '../src/demo/drain.ts';
import { openMemory, type Memory } from '../src/demo/memory.ts';
import { openOnlooker } from '../src/demo/onlooker.ts';
import type { Parity } from '../src/demo/parity.ts';
import { startPrivateYard, type YardConfig } from '../src/demo/private-yard.ts';

/** The yard that is measured: all its processes, full event log, projector on, three arms that all lead to the mock provider. */
export type OverheadYard = {
  readonly url: string;
  readonly bus: Bus;
  readonly memory: Memory;
  /** Waits until ClickHouse holds all of the log; seconds. */
  readonly settle: () => Promise<number>;
  readonly parityOf: (sent: number) => Promise<Parity>;
  readonly stop: () => Promise<void>;
};

const arms = ['mock-a', 'mock-b', 'mock-c'];

export const startOverheadYard = async (mockUrl: string, signal: AbortSignal): Promise<OverheadYard> => {
  const yard = await startPrivateYard('bench', configFor(mockUrl), signal);
  const opened = new AsyncDisposableStack();
  opened.defer(() => yard.stop());
  try {
    const bus = opened.adopt(await openOnlooker(yard), (open) => open.close());
    const memory = opened.adopt(openMemory(yard.sqlUrl), (open) => open.close());
    return {
      url: `${yard.httpUrl}/v1`,
      bus,
      memory,
      settle: async () => (await drain({ log: bus.log, projectedSequence: memory.projectedSequence, signal })).elapsedMs / 1_000,
      parityOf: async (sent) => ({ sent, answered: sent, failed: 0, log: await countLog(bus.log), rows: await memory.countRows() }),
      stop: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
};

const configFor = (mockUrl: string): YardConfig => ({
  models: arms.map((id) => ({
    id,
    provider: { kind: 'openai-compatible', baseUrl: mockUrl, model: 'mock' },
    price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 },
    contextTokens: 100_000,
  })),
  arms: arms.map((id) => ({ id, model: id })),
});
