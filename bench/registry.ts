import { decide } from './decide.ts';
import { evaluate } from './evaluate.ts';
import { ope } from './ope.ts';
import { overhead } from './overhead.ts';
import { projection } from './projection.ts';
import { rebuild } from './rebuild.ts';
import { regret } from './regret.ts';
import { replay } from './replay.ts';
import { routing } from './routing.ts';
import type { Benchmark } from './report.ts';

/** Every benchmark, by the name that `./switchyard bench <name>` takes. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  overhead,
  projection,
  rebuild,
  routing,
  regret,
  decide,
  replay,
  ope,
  evaluate,
};
