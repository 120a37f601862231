import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemoryBus } from '../../src/bus/memory/bus.ts';
import { sequence } from '../../src/events/index.ts';
import { openClickhouse, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { dateTimeText } from '../../src/projections/date-time.ts';
import { recordEpoch } from '../../src/projections/epochs.ts';
import { insertStatement } from '../../src/projections/event-writer.ts';
import { applyMigrations, readMigrations } from '../../src/projections/migrations.ts';
import { reconcile } from '../../src/projections/reconcile.ts';
import { snapshotFromClickhouse, snapshotFromLog } from '../../src/projections/state.ts';
import { append, memoryBus, project, testFolder } from '../support/projection.ts';
import { decided, rewarded } from '../support/projection-events.ts';
import { storedEvent } from '../support/stored-events.ts';

/**
 * A table that was made before the state had cells, squares and changes of policy: its rows hold events of version 1, in the columns there were. By the defaults of the columns that came later they say
 * what these events are raised to, so that nothing has to be projected again.
 */
const reward = storedEvent('reward.recorded', 1) as OldEvent<OldReward>;
const decision = storedEvent('route.decided', 1) as OldEvent<OldDecision>;
const activation = storedEvent('policy.activated', 1) as OldEvent<OldPolicy>;

type OldPolicy = { readonly policy: { readonly id: string; readonly version: string } };
type OldDecision = OldPolicy &
  Readonly<Record<'arm' | 'model' | 'requestedModel' | 'cache' | 'question', string>> & {
    readonly propensity: number;
    readonly draw: number;
    readonly stateSequence: number;
    readonly streamed: boolean;
  };
type OldReward = Readonly<Record<'arm' | 'model' | 'cause', string>> &
  Readonly<Record<'revision' | 'rewardMicro', number>> & {
    readonly parts: Readonly<Record<'success' | 'streaming' | 'cache' | 'cost', number>>;
    readonly evidence: Readonly<Record<'trials' | 'success' | 'streaming' | 'cache' | 'cost', number>>;
  };
type OldEvent<Data> = Readonly<
  Record<'id' | 'type' | 'time' | 'tenant' | 'source' | 'correlationid', string> & {
    causationid?: string;
    traceparent?: string;
    data: Data;
  }
>;

const evidence = (trials: number, success: number) => ({ trials, success, streaming: 948_000 * trials, cache: 0, cost: 7 * trials });
let made = 0;
const another = (data: Partial<OldReward>): OldEvent<OldReward> => ({ ...reward, id: `old-${++made}`, data: { ...reward.data, ...data } });

/** What the projector of that day put into the columns of its own. */
const ofPolicy = (event: OldEvent<OldPolicy>) => ({
  event,
  columns: { policy_id: event.data.policy.id, policy_version: event.data.policy.version },
});
const ofDecision = (event: OldEvent<OldDecision>) => {
  const { arm, model, requestedModel, policy, propensity, draw, stateSequence, cache, question, streamed } = event.data;
  const columns = { arm, model, requested_model: requestedModel, policy_id: policy.id, policy_version: policy.version };
  return { event, columns: { ...columns, propensity, draw, state_sequence: stateSequence, cache_state: cache, question, streamed } };
};
const ofReward = (event: OldEvent<OldReward>) => {
  const { arm, model, revision, cause, rewardMicro, parts, evidence: adds } = event.data;
  const named = (prefix: string, suffix: string, from: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(from).map(([part, value]) => [`${prefix}${part}${suffix}`, value]));
  return {
    event,
    columns: { arm, model, revision, cause, reward_micro: rewardMicro, ...named('', '_micro', parts), ...named('evidence_', '', adds) },
  };
};

const history = [
  ofPolicy(activation),
  ofDecision(decision),
  ofReward(reward),
  ofReward(another({ revision: 1, cause: 'feedback', evidence: evidence(0, -400_000) })),
  ofReward(another({ cause: 'failure', arm: 'sim-small', evidence: evidence(1, 0) })),
  ofReward(another({ cause: 'cache', evidence: evidence(0, 0) })),
  ofReward(another({ cause: 'interruption', evidence: evidence(0, 0) })),
  ofPolicy({ ...activation, id: 'a-later-one', data: { ...activation.data, policy: { id: 'thompson', version: 'of-another-day' } } }),
];

describe('rows of an earlier version', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;
  let bus: MemoryBus;

  beforeAll(async () => {
    folder = await testFolder();
    clickhouse = await openClickhouse({ kind: 'embedded', path: folder.path, database: 'switchyard' }, { requestTimeoutMs: 30_000 });
    const migrations = await readMigrations();
    await applyMigrations(clickhouse, migrations.slice(0, 3));
    bus = memoryBus();
    const rows: object[] = [];
    for (const [index, { event, columns }] of history.entries()) {
      bus.inject(`switchyard.event.${event.tenant}.${event.type}`, new TextEncoder().encode(JSON.stringify(event)));
      const entry = await bus.log.at(sequence(index + 1));
      if (entry?.kind !== 'events') throw new Error(`expected ${event.type} of version 1 to be readable`);
      rows.push({
        stream_epoch: 1,
        sequence: index + 1,
        event_index: 0,
        stored_at: dateTimeText(new Date(entry.storedAtMs).toISOString()),
        id: event.id,
        type: event.type,
        schema_version: 1,
        source: event.source,
        time: dateTimeText(event.time),
        tenant: event.tenant,
        request_id: event.correlationid,
        causation_id: event.causationid ?? '',
        traceparent: event.traceparent ?? '',
        data: event.data,
        ...columns,
      });
    }
    const { createdAt } = await bus.log.bounds();
    await recordEpoch(clickhouse, { epoch: 1, streamCreatedAt: createdAt, firstSequence: 1, reason: 'first' });
    await clickhouse.insert(insertStatement('events', '1:1'), rows.map((row) => JSON.stringify(row)).join('\n'));

    await applyMigrations(clickhouse, migrations);
    await append(bus.log, [decided(1)], [rewarded(1)]);
    await project(clickhouse, bus);
  });
  afterAll(async () => {
    await clickhouse.close();
    await folder.remove();
  });

  test('are still there: nothing was projected again', async () => {
    expect(
      await clickhouse.rows('SELECT schema_version, count() AS n FROM events GROUP BY schema_version ORDER BY schema_version'),
    ).toEqual([
      { schema_version: 1, n: '8' },
      { schema_version: 2, n: '2' },
    ]);
  });

  test('count as the events do that they were written from, and so does the policy of that day', async () => {
    const fromLog = await snapshotFromLog(bus.log);
    expect((await snapshotFromClickhouse(clickhouse))?.snapshot).toEqual(fromLog);
    expect(fromLog.policy).toMatchObject({ policy: { version: 'of-another-day' }, origin: 'configuration', change: 0 });
    expect(fromLog.blocks.filter(({ arm }) => arm.startsWith('sim-')).map(({ arm, cell, sums }) => [arm, cell, sums[0]])).toEqual([
      ['sim-medium', 'all', 1],
      ['sim-small', 'all', 1],
    ]);
  });

  test('are what the log says, to the last column', async () => {
    expect(await reconcile({ clickhouse, log: bus.log, limits: { rows: 50, bytes: 1e6 } })).toMatchObject({
      rowsOfLog: 10,
      rowsOfTable: 10,
      equal: true,
      examples: [],
    });
  });

  test('are raised and compared: what hides behind a lower version is found', async () => {
    const reconciled = () => reconcile({ clickhouse, log: bus.log, limits: { rows: 50, bytes: 1e6 } });
    const changed = async (update: string, back: string, where: string) => {
      await clickhouse.command(`ALTER TABLE events UPDATE ${update} WHERE ${where} SETTINGS mutations_sync = 1`);
      const found = await reconciled();
      await clickhouse.command(`ALTER TABLE events UPDATE ${back} WHERE ${where} SETTINGS mutations_sync = 1`);
      return found;
    };
    // A decision of the present version, given out for an old one.
    const lowered = await changed('schema_version = 1', 'schema_version = 2', 'sequence = 9');
    expect(lowered).toMatchObject({ equal: false, different: 1, examples: [{ kind: 'different', sequence: 9 }] });
    // The facts of an old one.
    const [draw, other] = [`'"draw":${decision.data.draw}'`, `'"draw":0.111'`];
    const facts = await changed(`data = replaceAll(data, ${draw}, ${other})`, `data = replaceAll(data, ${other}, ${draw})`, 'sequence = 2');
    expect(facts).toMatchObject({ equal: false, different: 1, examples: [{ sequence: 2 }] });
    expect(await reconciled()).toMatchObject({ equal: true });
  });

  test('show in the views', async () => {
    expect(
      await clickhouse.rows('SELECT candidate_alphas, candidate_means, decided_at, canary FROM decisions ORDER BY sequence LIMIT 1'),
    ).toEqual([
      {
        candidate_alphas: [31.5, 118.25, 74],
        candidate_means: [31.5 / 56, 118.25 / 180, 74 / 115],
        decided_at: '2026-01-31 12:00:00.004',
        canary: false,
      },
    ]);
    expect(await clickhouse.rows('SELECT kind, origin, change FROM policy_changes ORDER BY sequence LIMIT 1')).toEqual([
      { kind: 'beta-bernoulli-thompson', origin: 'configuration', change: '0' },
    ]);
  });

  test('that differ from the log are found all the same', async () => {
    await clickhouse.command(`ALTER TABLE events UPDATE evidence_failures = 1 WHERE sequence = 3 SETTINGS mutations_sync = 1`);
    await clickhouse.command(`ALTER TABLE events UPDATE data = '{}' WHERE sequence = 9 SETTINGS mutations_sync = 1`);
    const found = await reconcile({ clickhouse, log: bus.log, limits: { rows: 50, bytes: 1e6 } });
    expect(found).toMatchObject({ different: 2, missing: 0, extra: 0 });
    expect(found.examples.map(({ sequence: at, columns }) => [at, columns.map(({ column }) => column)])).toEqual([
      [3, expect.arrayContaining(['evidence_failures'])],
      [9, ['data']],
    ]);
  });
});
