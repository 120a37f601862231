import { Option } from 'commander';
import { z } from 'zod';
import { askRemote } from '../actors/remote.ts';
import type { LogBounds } from '../bus/event-log.ts';
import type { Messenger } from '../bus/messenger.ts';
import type { RewardWeights } from '../domain/reward/reward.ts';
import { summaryOf, type StateSummary } from '../domain/routing/summary.ts';
import { TransientError } from '../errors.ts';
import { sequence } from '../events/index.ts';
import { routerPatience } from './ask-router.ts';
import { configOption, jsonOption, natsUrlOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { differencesOf, type StateDifference } from './compare-states.ts';
import { exitCodes } from './exit-codes.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { grouped, milliseconds } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { placeInWords } from './period.ts';
import { lastUpTo, parsePosition, positionHelp, type Position } from './position.ts';
import { rebuildState, type RebuildParts, type RebuiltState } from './rebuild-state.ts';
import { showState } from './show-state.ts';
import { writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

type RebuildOptions = AddressOptions & { readonly at?: Position; readonly logAlone?: true; readonly quick?: true };

export const addRebuild: AddCommand = (program, terminal) => {
  const command = program
    .command('rebuild')
    .summary("make the router's state again and compare it with the live one")
    .description(
      "Makes the state of the router again, whatever its policy, as a router does when it starts: from ClickHouse's sums and the tail of the log. Compares it with the fold of the log alone and with the live state. Exit code 1 when it differs from either.",
    )
    .addOption(
      new Option('--at <place>', `the state as it was at ${positionHelp}; not compared with the live one`).argParser(parsePosition('--at')),
    )
    .option('--log-alone', 'leave ClickHouse out')
    .option('--quick', 'leave out the fold of the log alone, which reads every message')
    .addOption(jsonOption('one object'))
    .addOption(natsUrlOption())
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: RebuildOptions) => rebuild(terminal, options));
  withExamples(command, [
    ['./switchyard rebuild', 'are the live state and ClickHouse what the log says?'],
    ['./switchyard rebuild --log-alone', 'the same without ClickHouse'],
    ['./switchyard rebuild --at 2026-05-01T09:00:00Z', 'what the router knew at that moment'],
  ]);
};

const rebuild = async (terminal: Terminal, options: RebuildOptions): Promise<void> => {
  const located = locateYard(options);
  const signal = terminal.interrupted();
  await withBus(located, async ({ log, messenger }) => {
    const live = options.at === undefined ? await liveState(terminal, messenger) : null;
    const bounds = await log.bounds();
    const to = options.at !== undefined ? await lastUpTo(log, bounds, options.at) : sequence(live?.sequence ?? bounds.last);
    if (options.at !== undefined) noteBeyond(terminal, options.at, bounds);
    const parts = { located, log, bounds, to, logAlone: options.logAlone === true, signal, note: terminal.note };
    const rebuilt = await rebuildState(parts);
    const state = summaryOf(rebuilt.snapshot);
    const comparisons = {
      log: compare(state, options.quick === true ? null : await foldOfLog(parts, rebuilt)),
      live: compare(state, live),
    };
    await (options.json === true
      ? terminal.json(asJson(rebuilt, state, comparisons))
      : show(terminal, rebuilt, state, comparisons, located.settings.config.reward.weights));
    if (Object.values(comparisons).some(({ verdict }) => verdict === 'different')) process.exitCode = exitCodes.failed;
    else if (live === null && options.at === undefined) process.exitCode = exitCodes.unreachable;
  });
};

/** A state beyond the end of the log is the one at its end: whoever asks for it is told so. */
const noteBeyond = (terminal: Terminal, at: Position, { last }: LogBounds): void => {
  const isBeyond = at.kind === 'sequence' ? at.sequence > last : at.timeMs > Date.now();
  if (!isBeyond) return;
  const what = at.kind === 'sequence' ? 'is beyond the end of the log' : 'is in the future';
  terminal.note(`--at ${placeInWords(at)} ${what}: this is the state at sequence ${last}, where the log ends now`);
};

const liveSchema = z.object({
  // From a process of this yard; what it holds is compared, figure by figure.
  summary: z.custom<StateSummary>((summary) => z.looseObject({ sequence: z.int(), fingerprint: z.string() }).safeParse(summary).success),
});

/** What the router knows at this moment. Without one there is nothing to compare with, and the state can be made all the same. */
const liveState = async (terminal: Terminal, messenger: Messenger): Promise<StateSummary | null> => {
  try {
    return liveSchema.parse(await askRemote(messenger, 'router', { type: 'state' }, routerPatience)).summary;
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    terminal.note(`not compared with the live state: ${error.message}`);
    return null;
  }
};

/** Null when that is what was rebuilt already, or when the log has forgotten its beginning, which ClickHouse still counts. */
const foldOfLog = async (parts: RebuildParts, { from }: RebuiltState): Promise<StateSummary | null> => {
  if (from === 'log') return null;
  if (parts.bounds.first > 1) {
    parts.note(`not compared with the log alone: it begins at ${parts.bounds.first}`);
    return null;
  }
  return summaryOf((await rebuildState({ ...parts, logAlone: true })).snapshot);
};

type Comparison = { readonly verdict: 'equal' | 'different' | 'not-compared'; readonly differences: readonly StateDifference[] };
type Comparisons = { readonly log: Comparison; readonly live: Comparison };

const compare = (state: StateSummary, other: StateSummary | null): Comparison => {
  if (other === null) return { verdict: 'not-compared', differences: [] };
  const differences = differencesOf(state, other);
  return { verdict: differences.length === 0 ? 'equal' : 'different', differences };
};

const asJson = ({ snapshot, ...how }: RebuiltState, state: StateSummary, comparisons: Comparisons) => ({
  ...how,
  ...state,
  blocks: snapshot.blocks,
  comparedWith: comparisons,
});

const show = async (
  terminal: Terminal,
  { from, clickhouseSequence, entriesRead, tookMs, snapshot }: RebuiltState,
  state: StateSummary,
  comparisons: Comparisons,
  weights: RewardWeights,
): Promise<void> => {
  await showState(terminal, state, snapshot.policy?.weights ?? weights);
  const source =
    from === 'log'
      ? `the log alone, ${grouped(entriesRead)} messages`
      : `ClickHouse up to ${clickhouseSequence ?? 0} and ${grouped(entriesRead)} messages of the log`;
  await terminal.line(`\nstate at sequence ${state.sequence}, from ${source}, in ${milliseconds(tookMs)}`);
  for (const [name, { verdict, differences }] of [
    ['the log alone', comparisons.log],
    ['the live state', comparisons.live],
  ] as const) {
    if (verdict === 'equal') await terminal.line(terminal.style('green', `equal to ${name}`));
    if (verdict !== 'different') continue;
    await terminal.line(terminal.style('red', `different from ${name}:`));
    await writeTable(
      terminal,
      [{ title: 'what' }, { title: 'rebuilt', align: 'right' }, { title: name, align: 'right' }],
      differences.map(({ what, rebuilt, other }) => [what, String(rebuilt), String(other)]),
    );
  }
};
