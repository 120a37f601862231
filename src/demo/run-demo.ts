import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '../bus/bus.ts';
import { arrivalsOf, atOnce, type Arrivals } from './arrivals.ts';
import { baselinesOf } from './baselines.ts';
import { countLog } from './count-log.ts';
import { drain } from './drain.ts';
import { openHttpSender } from './http-sender.ts';
import { openMemory, type Memory } from './memory.ts';
import { openOnlooker } from './onlooker.ts';
import { openNatsSender } from './nats-sender.ts';
import { mismatchesOf } from './parity.ts';
import { planFromRecords, planFromSimulation, type DemoPlan } from './plan.ts';
import { startPrivateYard, type PrivateYard } from './private-yard.ts';
import { overallOf, type DemoReport } from './demo-report.ts';
import { openProgress } from './progress.ts';
import { sendAll } from './send-all.ts';
import { readTrace } from './trace.ts';

/**
 * The main job on real input: prompts travel through a running yard, and what is said about them at the end is what ClickHouse and the log say.
 * The yard is one of its own, with all its real processes.
 */
export type DemoOptions = {
  readonly data?: string | undefined;
  readonly trace?: string | undefined;
  /** Times as fast as the trace. */
  readonly speed: number;
  readonly limit?: number | undefined;
  readonly concurrency: number;
  readonly via: 'http' | 'nats';
  readonly seed: number;
  readonly keep: boolean;
};

export type DemoTalk = { readonly note: (text: string) => void; readonly signal: AbortSignal };

export const runDemo = async (options: DemoOptions, talk: DemoTalk): Promise<DemoReport> => {
  const plan = options.data === undefined ? planFromSimulation(options) : await planFromRecords(options.data, options);
  const arrivals = options.trace === undefined ? atOnce : arrivalsOf(await readTrace(options.trace, plan.prompts.length), options.speed);
  talk.note(describe(plan, options));

  const yard = await startPrivateYard('demo', plan.config, talk.signal);
  let finished = false;
  try {
    const report = await demoIn(yard, plan, arrivals, options, talk);
    finished = true;
    return { ...report, kept: options.keep ? { folder: yard.folder, configFile: yard.configFile } : null };
  } finally {
    await yard.stop({ keep: options.keep && finished });
  }
};

const demoIn = async (
  yard: PrivateYard,
  plan: DemoPlan,
  arrivals: Arrivals,
  options: DemoOptions,
  { note, signal }: DemoTalk,
): Promise<Omit<DemoReport, 'kept'>> => {
  await using opened = new AsyncDisposableStack();
  const bus = opened.adopt(await openOnlooker(yard), (open) => open.close());
  const memory = opened.adopt(openMemory(yard.sqlUrl), (open) => open.close());
  const sender = opened.adopt(
    await (options.via === 'http' ? openHttpSender(yard.httpUrl, options.concurrency) : openNatsSender(yard.natsUrl)),
    (open) => open.close(),
  );

  const failures: Record<string, number> = {};
  let answered = 0;
  let fromCache = 0;
  let repeatedAttempts = 0;
  const progress = openProgress(plan.prompts.length, arrivals.kind === 'timed');
  const watching = new AbortController();
  const watched = watchBehind(bus, memory, progress.behind, watching.signal);
  const done = await sendAll({
    count: plan.prompts.length,
    arrivals,
    concurrency: options.concurrency,
    signal,
    onSent: ({ lateMs }) => {
      progress.sent(lateMs);
    },
    send: async (index) => {
      const answer = await sender.send({ id: `demo-${index + 1}`, prompt: plan.prompts[index] ?? '' });
      repeatedAttempts += answer.attempts - 1;
      if (answer.kind === 'answered') {
        answered++;
        if (answer.fromCache) fromCache++;
        progress.answered();
      } else failures[answer.code] = (failures[answer.code] ?? 0) + 1;
    },
  }).finally(async () => {
    watching.abort();
    await watched;
    progress.stop();
  });

  signal.throwIfAborted();
  note('waiting until every judgement has become a reward, and every event a row');
  const drained = await drain({
    log: bus.log,
    projectedSequence: memory.projectedSequence,
    isSettled: async () => {
      const { feedback, revised } = await memory.countRows();
      return feedback === revised;
    },
    signal,
  });

  const arms = await memory.arms();
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const parity = { sent: done.sent, answered, failed, log: await countLog(bus.log), rows: await memory.countRows() };
  return {
    requests: done.sent,
    models: plan.models,
    simulated: plan.rows === null,
    elapsedMs: done.elapsedMs,
    latestMs: arrivals.kind === 'timed' ? done.latestMs : null,
    drainMs: drained.elapsedMs,
    repeatedAttempts,
    failures,
    fromCache,
    arms,
    overall: overallOf(arms),
    baselines: plan.rows === null ? null : baselinesOf(plan.rows.slice(0, done.sent), plan.models),
    parity,
    mismatches: mismatchesOf(parity),
  };
};

const lookEveryMs = 500;

/** Looks how far ClickHouse is behind the log. A look that fails is left out: the bar is not worth ending the demo for. */
const watchBehind = async (bus: Bus, memory: Memory, tell: (messages: number) => void, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    await Promise.all([bus.log.bounds(), memory.projectedSequence()]).then(
      ([{ last }, projected]) => {
        tell(Math.max(0, last - projected));
      },
      () => undefined,
    );
  }
};

const describe = ({ prompts, models, rows }: DemoPlan, { trace, speed, concurrency, via, seed }: DemoOptions): string =>
  [
    rows === null
      ? `No --data was given: made-up prompts, answered by the simulated models ${models.join(', ')}. The figures say nothing about real models.`
      : `Real prompts, answered from the record of what ${models.join(', ')} scored and cost on them.`,
    `${prompts.length} requests over ${via === 'http' ? 'HTTP' : 'NATS'}, at most ${concurrency} at a time, ${
      trace === undefined ? 'as fast as they go' : `as they arrive in ${trace}, ${speed} times as fast`
    }; order by seed ${seed}.`,
    'Starting a yard of its own: nats-server, projector and worker in a temporary folder.',
  ].join('\n');
