import { z } from 'zod';
import type { PolicyState } from '../actors/policy-change.ts';
import type { Comparison } from '../domain/routing/canary-guard.ts';
import { rowsFromClickhouse } from './ask-clickhouse.ts';
import { askForPolicy } from './ask-router.ts';
import { CommandError } from './exit-codes.ts';
import { locateYard, type AddressOptions, type Located } from './locate.ts';
import { dollars, grouped, percent } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { writeTable } from './table.ts';
import { excerpt, type Terminal } from './terminal.ts';

/** What is in force and how the canary does comes from a router, the changes before from ClickHouse; without it the rest is shown. */
export const showPolicy = async (terminal: Terminal, options: AddressOptions & { readonly limit: number }): Promise<void> => {
  const located = locateYard(options);
  const signal = terminal.interrupted();
  const state = await withBus(located, ({ messenger }) => askForPolicy(messenger));
  const changes = await changesFrom(terminal, located, options.limit, signal);
  if (options.json === true) {
    const { inForce, canary, report, configured, stateSequence } = state;
    await terminal.json({ stateSequence, inForce, configured, canary: canary === null ? null : { ...canary, ...report }, changes });
    return;
  }
  await show(terminal, state);
  if (changes !== null) await showChanges(terminal, changes);
};

const changeSchema = z.object({
  sequence: z.coerce.number(),
  time: z.string(),
  change: z.coerce.number(),
  what: z.string(),
  policy: z.string(),
  version: z.string(),
  kind: z.string(),
  origin: z.string(),
  share: z.number(),
  outcome: z.string(),
  reason: z.string(),
});
type Change = z.infer<typeof changeSchema>;

/** Newest first; null when ClickHouse cannot say. */
const changesFrom = async (terminal: Terminal, located: Located, limit: number, signal: AbortSignal): Promise<readonly Change[] | null> => {
  const statement = `SELECT sequence, formatDateTime(time, '%FT%TZ', 'UTC') AS time, change, what, policy_id AS policy, policy_version AS version, kind, origin, share, outcome, reason
FROM policy_changes ORDER BY stream_epoch DESC, policy_changes.sequence DESC, change DESC LIMIT ${limit}`;
  try {
    return await rowsFromClickhouse(located, statement, changeSchema, { signal });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    terminal.note(`the changes before are not shown: ${error.message}`);
    return null;
  }
};

const show = async (terminal: Terminal, { inForce, canary, report }: PolicyState): Promise<void> => {
  if (inForce === null) await terminal.line('in force: nothing yet');
  else {
    await terminal.line(`in force: ${nameOf(inForce)} by ${inForce.origin}, change ${inForce.change}`);
    await terminal.line(`          ${JSON.stringify(inForce.spec)}`);
  }
  if (canary === null) {
    await terminal.line('canary:   none');
    return;
  }
  await terminal.line(`canary:   ${nameOf(canary)} for ${percent(canary.share)} of the requests, change ${canary.change}`);
  await terminal.line(`          ${JSON.stringify(canary.spec)}`);
  if (report === null || report.comparisons === null) {
    const { canary: own, stable } = report?.requests ?? { canary: 0, stable: 0 };
    await terminal.line(`          not judged yet: ${own} and ${stable} of ${canary.guard.minRequests} requests on each side`);
    return;
  }
  await terminal.line();
  await writeTable(terminal, columns, report.comparisons.map(rowOf));
};

const columns = [
  { title: 'quantity' },
  ...['canary', 'in force', 'difference', 'interval', 'margin'].map((title) => ({ title, align: 'right' as const })),
  { title: 'judgement' },
];

const rowOf = ({ quantity, canary, stable, difference, low, high, confidence, margin, isWorse }: Comparison): readonly string[] => {
  const say =
    quantity === 'cost' ? (nano: number) => `${nano < 0 ? '-' : ''}${dollars(Math.abs(nano) / 1e9)}` : (value: number) => value.toFixed(4);
  return [
    quantity,
    `${say(canary.mean)} of ${grouped(canary.requests)}`,
    `${say(stable.mean)} of ${grouped(stable.requests)}`,
    say(difference),
    `${say(low)} to ${say(high)} (${percent(confidence)})`,
    say(margin),
    isWorse ? 'worse' : 'not worse',
  ];
};

const showChanges = async (terminal: Terminal, changes: readonly Change[]): Promise<void> => {
  await terminal.line();
  await writeTable(
    terminal,
    [
      { title: 'change', align: 'right' },
      { title: 'time' },
      { title: 'sequence', align: 'right' },
      { title: 'what' },
      { title: 'policy' },
      { title: 'how' },
    ],
    changes.map(({ change, time, sequence, what, policy, version, kind, origin, share, outcome }) => [
      change,
      time,
      sequence,
      what,
      `${policy} ${version}${kind === '' ? '' : `, ${kind}`}`,
      outcome === '' ? (origin === '' ? percent(share) : `by ${origin}`) : outcome,
    ]),
  );
  // Whole: they hold the figures, and no column is wide enough for them.
  const withReason = changes.filter(({ reason }) => reason !== '');
  if (withReason.length > 0) await terminal.line();
  for (const { change, outcome, reason } of withReason)
    await terminal.line(`change ${change}, ${outcome}: ${excerpt(reason, reasonCharactersMax)}`);
};

/** As long as the event may have it. */
const reasonCharactersMax = 500;

const nameOf = ({ policy, spec }: NonNullable<PolicyState['inForce' | 'canary']>): string => `${policy.id} ${policy.version}, ${spec.kind}`;
