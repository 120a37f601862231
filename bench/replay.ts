import { setTimeout as sleep } from 'node:timers/promises';
import { changePolicy } from '../src/cli/change-policy.ts';
import { named } from '../src/domain/routing/policy-version.ts';
import { feedbackReceived, idempotencyIds, makeEvent, requestIdSchema, sequence, tenantSchema } from '../src/events/index.ts';
import { policySpecSchema, type PolicySpecInput } from '../src/events/schemas/policy.ts';
import type { Clickhouse } from '../src/projections/clickhouse.ts';
import type { BriefMessage } from '../src/replay/again/brief.ts';
import { candidateReplay, type CandidateOptions } from '../src/replay/again/candidate-replay.ts';
import { decideAgain, replayTally, type PeriodOptions, type ReplayTally } from '../src/replay/again/decide-again.ts';
import { openMaterial, type Material } from '../src/replay/again/material.ts';
import type { MessageRange } from '../src/replay/again/messages.ts';
import { reasons } from '../src/replay/again/reasons.ts';
import { openLaboratory, type Laboratory } from './laboratory.ts';
import { projectUntil } from './project-until.ts';
import { startReplayWorkers, type ReplayWorkers } from './replay-workers.ts';
import { requestId, tenantOf } from './replay-yard.ts';
import type { Benchmark, BenchContext } from './report.ts';
import { rounded } from './statistics.ts';

/**
 * A period that two router processes decide on one log, each with the product's own router, actors and appends: the policy is swapped in the middle, and half-way in time a part of the requests is judged
 * late. It is decided again from the log alone, and from ClickHouse where the second half is the period; then other policies decide on it, learning.
 */
export const replay: Benchmark = {
  summary: 'a period of two router processes decided again: differences, and decisions a second of a learning candidate',
  run: async (context) => {
    await using opened = new AsyncDisposableStack();
    const { note, signal, scale } = context;
    const laboratory = opened.adopt(await openLaboratory(), (lab) => lab.close());
    const requests = Math.max(400, Math.round(requestCount * scale));
    const workers = opened.adopt(await startReplayWorkers(laboratory.natsUrl, ['host-a', 'host-b']), (started) => started.stop());
    const made = await decide(laboratory, workers, requests, context);
    await workers.stop();

    const clickhouse = opened.adopt(await laboratory.openDatabase('replay'), (open) => open.close());
    const { last } = await laboratory.bus.log.bounds();
    note(`projecting ${last} messages`);
    await projectUntil(laboratory, clickhouse, () => last, signal);
    const reader = opened.adopt(await laboratory.openReader('replay'), (open) => open.close());

    const whole = { from: 1, to: last };
    const half = { from: Math.floor(last / 2), to: last };
    const again = [
      await againFrom('the log alone', laboratory, null, whole, context),
      await againFrom('ClickHouse, the second half', laboratory, reader, half, context),
    ];
    const rates = [];
    // Without the HTTP interface: it would be served by this very process, and in a yard it is another one's.
    for (const way of ways) rates.push(await candidate(way, laboratory, clickhouse, whole, context));
    const slowest = Math.min(...rates.map(({ perSecond }) => perSecond));
    return {
      settings: { requests, messages: last, processes: 2, lateFeedback: made.judged },
      tables: [
        {
          title: 'Decided again',
          columns: ['from', 'decisions', 'equal', 'different', 'not checked', 'seconds', 'decisions a second'],
          rows: again.map(({ name, tally, seconds }) => [
            name,
            tally.decisions,
            tally.equal,
            tally.different,
            tally.unchecked,
            rounded(seconds),
            Math.round(tally.decisions / seconds),
          ]),
        },
        {
          title: 'A learning candidate on the same requests, from ClickHouse',
          columns: ['policy, learning from', 'decisions', 'learned from', 'seconds', 'decisions a second'],
          rows: rates.map(({ name, decisions, learned, seconds, perSecond }) => [
            name,
            decisions,
            learned,
            rounded(seconds),
            Math.round(perSecond),
          ]),
        },
        {
          title: 'The period',
          columns: ['what', 'value'],
          rows: [
            ['requests that were not answered', made.failed],
            ['policies that decided', made.policies],
            ['longest way from a state to its decision, messages', made.longestLag],
            ['decisions a second while it was made', Math.round(requests / made.seconds)],
            ...reasons.flatMap((reason) =>
              again
                .filter(({ tally }) => tally.byReason[reason] > 0)
                .map(({ name, tally }) => [`${reason}, ${name}`, tally.byReason[reason]]),
            ),
          ],
        },
      ],
      marks: [
        {
          name: `decisions of ${requests} that come out otherwise, or cannot be made again`,
          value: again.reduce((sum, { tally }) => sum + tally.different + tally.unchecked, 0),
          comparison: '=',
          threshold: 0,
          unit: '',
        },
        { name: 'decisions that were looked at', value: again[0]?.tally.decisions ?? 0, comparison: '>=', threshold: requests, unit: '' },
        {
          name: 'a learning candidate, decisions a second (the slowest)',
          value: Math.round(slowest),
          comparison: '>=',
          threshold: 20_000,
          unit: '',
        },
      ],
      notMeasured: ['processes on machines of their own; a log of which the beginning has aged out (test/integration/replay.test.ts)'],
    };
  },
};

const requestCount = 100_000;

const swapped: PolicySpecInput = { kind: 'beta-bernoulli-thompson', id: 'swapped' };

const decide = async (laboratory: Laboratory, workers: ReplayWorkers, requests: number, { note, signal }: BenchContext) => {
  const { bus } = laboratory;
  const beganMs = performance.now();
  const half = Math.floor(requests / 2);
  note(`two processes decide ${requests} requests`);
  const first = await workers.ask(0, half);
  signal.throwIfAborted();
  note('the policy is swapped, and a part of the first half judged, while the second half is decided');
  const judged = Math.floor(half / 50);
  const [second] = await Promise.all([
    workers.ask(half, requests),
    changePolicy(bus, ({ inForce }) => {
      if (inForce === null) throw new Error('expected a policy in force');
      const { weights, arms } = inForce;
      return { kind: 'activate', content: named({ spec: policySpecSchema.parse(swapped), weights, arms }), origin: 'command' };
    }),
    judgeLate(laboratory, judged),
  ]);
  const seconds = (performance.now() - beganMs) / 1_000;
  await settled(laboratory, signal);
  return { judged, seconds, failed: first + second, ...(await lookedAt(laboratory)) };
};

/** By the callers of every fiftieth request of the first half. */
const judgeLate = async ({ bus }: Laboratory, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) {
    const index = 50 * i;
    const tenant = tenantSchema.parse(tenantOf(index));
    const of = requestIdSchema.parse(requestId(index));
    const event = makeEvent(
      feedbackReceived,
      { tenant, requestId: of, source: 'switchyard/bench', timeMs: Date.now() - 3_000 },
      { feedbackId: `late-${index}`, kind: 'thumb', scoreMicro: i % 2 === 0 ? 1_000_000 : 0 },
    );
    await bus.log.append([event], { idempotencyId: idempotencyIds.feedback(tenant, of, event.id) });
  }
};

const quietMs = 3_000;

/** Until nothing is appended any more: feedback is taken up by sweeps. */
const settled = async ({ bus }: Laboratory, signal: AbortSignal): Promise<void> => {
  let last = -1;
  for (let next = (await bus.log.bounds()).last; next !== last; next = (await bus.log.bounds()).last) {
    last = next;
    await sleep(quietMs, undefined, { signal });
  }
};

const lookedAt = async ({ bus }: Laboratory) => {
  const policies = new Set<string>();
  let longestLag = 0;
  for await (const entry of bus.log.read({ from: sequence(1), checks: 'envelope' }))
    for (const event of entry.kind === 'events' ? entry.events : [])
      if (event.type === 'route.decided') {
        policies.add(event.data.policy.version);
        longestLag = Math.max(longestLag, entry.sequence - event.data.stateSequence);
      }
  return { policies: policies.size, longestLag };
};

type Range = { readonly from: number; readonly to: number };

const periodOf = async <Read extends BriefMessage>(
  { bus }: Laboratory,
  clickhouse: Clickhouse | null,
  { from, to }: Range,
  read: (material: Material, range: MessageRange) => AsyncIterable<Read>,
  signal: AbortSignal,
): Promise<PeriodOptions<Read>> => {
  const material = await openMaterial({ log: bus.log, clickhouse, prefer: clickhouse === null ? 'log' : 'rows' });
  const lagMessages = await material.longestLag({ from, to });
  const base = await material.stateUpTo(Math.max(0, from - 1 - lagMessages));
  const messages = read(material, { from: base.snapshot.sequence + 1, to, signal });
  return { messages, base, from, to, tenant: null, lagMessages };
};

const againFrom = async (
  name: string,
  laboratory: Laboratory,
  clickhouse: Clickhouse | null,
  range: Range,
  { note, signal }: BenchContext,
): Promise<{ readonly name: string; readonly tally: ReplayTally; readonly seconds: number }> => {
  const beganMs = performance.now();
  const { add, tally } = replayTally(3);
  for await (const one of decideAgain(
    await periodOf(laboratory, clickhouse, range, (material, messages) => material.read(messages), signal),
  ))
    add(one);
  const seconds = (performance.now() - beganMs) / 1_000;
  const counted = tally();
  note(`${name}: ${counted.equal} of ${counted.decisions} equal in ${rounded(seconds)} s`);
  for (const example of counted.examples) note(JSON.stringify(example).slice(0, 1_000));
  return { name, tally: counted, seconds };
};

type Way = Pick<CandidateOptions, 'learn' | 'fromScratch'> & { readonly spec: PolicySpecInput };

const ways: readonly Way[] = [
  { spec: { kind: 'contextual-thompson' }, learn: 'logged', fromScratch: false },
  { spec: { kind: 'contextual-thompson' }, learn: 'logged', fromScratch: true },
  { spec: { kind: 'beta-bernoulli-thompson' }, learn: 'matched', fromScratch: true },
];

const candidate = async (way: Way, laboratory: Laboratory, clickhouse: Clickhouse, range: Range, { note, signal }: BenchContext) => {
  const { spec, learn, fromScratch } = way;
  const name = `${spec.kind}, ${learn}${fromScratch ? ', from scratch' : ''}`;
  const beganMs = performance.now();
  const period = await periodOf(laboratory, clickhouse, range, (material, messages) => material.readBrief(messages), signal);
  const { decisions } = candidateReplay({
    ...period,
    specFor: () => policySpecSchema.parse(spec),
    learn,
    fromScratch,
    seed: '1',
    acceptance: null,
  });
  let count = 0;
  let learned = 0;
  for await (const decision of decisions) {
    count++;
    if (decision.learns) learned++;
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  note(`${name}: ${Math.round(count / seconds)} decisions a second`);
  return { name, decisions: count, learned, seconds, perSecond: count / seconds };
};
