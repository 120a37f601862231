import { randomUUID } from 'node:crypto';
import { describeParity, mismatchesOf } from '../src/demo/parity.ts';
import { startMockProcess } from './child-process.ts';
import { openTarget, uniquePrompts } from './http-load.ts';
import { measureLag, steadyRate } from './overhead-lag.ts';
import { connections, measureRounds, roundCount, roundMs } from './overhead-rounds.ts';
import { measureSingle, singleCount } from './overhead-single.ts';
import { countRequests, scaled, type Targets } from './overhead-targets.ts';
import { startOverheadYard } from './overhead-yard.ts';
import { startPortkey, type Portkey } from './portkey.ts';
import type { Benchmark } from './report.ts';
import { rounded } from './statistics.ts';

/**
 * What the yard adds to a request, with everything on record, beside a direct call and beside Portkey's gateway, which keeps no record.
 *
 * 1. All of them, the mock provider and this load share the machine's cores: ratios are what carries over.
 * 2. Neighbours are paired: one at a time they take turns request by request, many at a time round by round in alternating order. Between rounds the
 *    projector catches up, so that it works neither for nor against the other; how long that took is told.
 * 3. Every request to the yard is counted at the end: in the log, and in ClickHouse.
 */
export const overhead: Benchmark = {
  summary: 'what the yard adds to a request; requests a second; projection lag; beside Portkey',
  run: async (context) => {
    await using opened = new AsyncDisposableStack();
    const { note, signal } = context;
    note('starting the mock provider, the yard and Portkey (the first time npm installs it into a temporary folder)');
    const mock = opened.adopt(await startMockProcess(), (started) => started.stop());
    const yard = opened.adopt(await startOverheadYard(mock.url, signal), (started) => started.stop());
    const portkey: Portkey = context.peers ? await startPortkey(mock.url) : { kind: 'unavailable', reason: 'left out by --no-peers' };
    if (portkey.kind === 'started') opened.defer(portkey.stop);

    const open = (options: Parameters<typeof openTarget>[0]) => opened.adopt(openTarget(options), (target) => target.close());
    const counted = countRequests(open({ name: 'yard', url: yard.url, model: 'auto', connections }));
    const targets: Targets = {
      direct: open({ name: 'direct', url: mock.url, model: 'mock', connections }),
      yard: counted.target,
      peer:
        portkey.kind === 'started'
          ? open({ name: 'Portkey', url: portkey.url, model: 'mock', headers: portkey.headers, connections })
          : null,
    };
    const prompt = uniquePrompts(randomUUID().slice(0, 8));

    const single = await measureSingle(targets, prompt, context);
    const rounds = await measureRounds(targets, yard, prompt, context);
    const lag = await measureLag(counted.target, yard, prompt, context);
    note('counting every request in the log and in ClickHouse');
    await yard.settle();
    const parity = await yard.parityOf(counted.sent());
    const mismatches = mismatchesOf(parity);

    return {
      settings: {
        requestsOneAtATime: scaled(singleCount, context),
        rounds: roundCount(context),
        secondsPerRound: rounded(scaled(roundMs, context) / 1_000),
        arms: 3,
        steadyRequestsPerSecond: steadyRate,
        ...(portkey.kind === 'started' ? { portkey: portkey.version } : {}),
      },
      tables: [
        single.table,
        ...rounds.tables,
        lag.table,
        { title: 'Parity', columns: ['what'], rows: [[describeParity(parity)], ...mismatches.map((text) => [text])] },
      ],
      marks: [
        { name: 'added at the median, one at a time', value: rounded(single.addedMs), comparison: '<=', threshold: 1.2, unit: ' ms' },
        {
          name: 'requests a second at 32 at a time, as a share of Portkey',
          value: rounds.ratioAt32,
          comparison: '>=',
          threshold: 0.8,
          unit: '',
        },
        {
          name: `largest projection lag at ${steadyRate} requests a second`,
          value: rounded(lag.maxSeconds),
          comparison: '<',
          threshold: 2,
          unit: ' s',
        },
        {
          name: 'mismatches in the parity of requests, log and ClickHouse',
          value: mismatches.length,
          comparison: '=',
          threshold: 0,
          unit: '',
        },
      ],
      notMeasured: [
        ...(portkey.kind === 'unavailable' ? [`Portkey: ${portkey.reason}`] : []),
        'streamed answers; requests over NATS; more than one machine; a provider that takes its time; durability "second" and "always"',
      ],
    };
  },
};
