import { cpus, totalmem, type } from 'node:os';

/** Where it was measured. A figure without it says little; two machines compare by ratios. */
export type Machine = {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
};

export const describeMachine = (): Machine => ({
  cores: cpus().length,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 1024 ** 3),
  platform: `${type()} ${process.arch}`,
  node: process.version,
});
