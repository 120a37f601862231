import type { Candidate } from '../../../src/replay/evaluation/candidate.ts';
import { evaluate, type EvaluationInput } from '../../../src/replay/evaluation/evaluate.ts';
import type { EvaluationReport } from '../../../src/replay/evaluation/report.ts';
import type { LoggedDecision } from '../../../src/replay/logged/logged-decision.ts';
import { inPages } from './made-up-log.ts';

export const settings: EvaluationInput['settings'] = {
  alpha: 0.05,
  seed: 'test',
  resamples: 100,
  weights: null,
  prices: {},
  rewardModel: 'past',
  force: false,
};

/** An evaluation of records in memory, of which nothing is known beforehand. */
export const evaluated = (
  records: readonly LoggedDecision[],
  candidates: readonly Candidate[],
  more: Partial<EvaluationInput> = {},
): Promise<EvaluationReport> =>
  evaluate({
    records: inPages(records),
    candidates,
    settings,
    source: { kind: 'file', file: 'made up' },
    period: { fromSequence: null, toSequence: null, tenant: null, outcomesUpTo: null },
    command: './switchyard evaluate',
    madeAt: '2026-05-01T00:00:00.000Z',
    largestWeight: null,
    ...more,
  });
