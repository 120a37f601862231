import { afterAll, beforeAll, expect, test } from 'vitest';
import { reviseReward, type StandingReward } from '../../src/domain/reward/reward.ts';
import type { DataOf, SwitchyardEvent } from '../../src/events/index.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { filing } from '../domain/support/events.ts';
import { append, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import { completed, decided, judged, rewarded } from '../support/projection-events.ts';

/** `requests.feedback_score` and `feedback_count` against the product's own judgement of which feedback stands, on the real engine. */
type Said = Pick<DataOf<'feedback.received'>, 'kind' | 'scoreMicro'> & { readonly counts?: false };
const said = (kind: Said['kind'], scoreMicro: number): Said => ({ kind, scoreMicro });
/** Rejected, or not judged yet: received, and no revision. */
const unheard = (kind: Said['kind'], scoreMicro: number): Said => ({ ...said(kind, scoreMicro), counts: false });

const cases: readonly { readonly judgements: readonly Said[]; readonly score: number | null }[] = [
  { judgements: [], score: null },
  { judgements: [said('thumb', 0)], score: 0 },
  { judgements: [said('outcome', 200_000), said('score', 900_000), said('thumb', 1_000_000)], score: 0.2 },
  { judgements: [said('thumb', 300_000), said('thumb', 600_000)], score: 0.6 },
  { judgements: [said('measured', 100_000), said('score', 700_000), said('measured', 0)], score: 0.7 },
  { judgements: [said('score', 700_000), unheard('outcome', 0)], score: 0.7 },
  { judgements: [unheard('outcome', 250_000)], score: null },
];

let folder: Awaited<ReturnType<typeof testFolder>>;
let clickhouse: Clickhouse;
beforeAll(async () => {
  folder = await testFolder();
  clickhouse = await openShaped(folder.path);
  const bus = memoryBus();
  for (const [i, { judgements }] of cases.entries()) {
    const first = rewarded(i);
    await append(bus.log, [decided(i)], [completed(i), first]);
    let standing: StandingReward = { ...first.data, counts: true, filing, judgedBy: undefined };
    for (const [k, { kind, scoreMicro, counts = true }] of judgements.entries()) {
      const judgement = { feedbackId: `feedback-${k}`, kind, scoreMicro };
      const events: SwitchyardEvent[] = [judged(i, judgement)];
      if (counts) {
        const revision = reviseReward(standing, judgement, first.data.weights);
        standing = { ...standing, ...revision, judgedBy: revision.judgedBy };
        events.push(rewarded(i, revision));
      }
      for (const event of events) await append(bus.log, [event]);
    }
  }
  await project(clickhouse, bus);
});
afterAll(async () => {
  await clickhouse.close();
  await folder.remove();
});

test('are the score that the reward rests on and the judgements that counted, not what was received', async () => {
  const rows = await clickhouse.rows(
    'SELECT request_id, feedback_received, feedback_count, feedback_score, success FROM requests ORDER BY request_id',
  );
  expect(rows).toEqual(
    cases.map(({ judgements, score }, i) => ({
      request_id: `request-${i}`,
      feedback_received: String(judgements.length),
      feedback_count: String(judgements.filter(({ counts = true }) => counts).length),
      feedback_score: score,
      // The test's first rewards have the success part 1.
      success: score ?? 1,
    })),
  );
});
