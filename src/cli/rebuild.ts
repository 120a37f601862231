import { Option } from 'commander';
import { z } from 'zod';
import { askRemote } from '../actors/remote.ts';
import type { Messenger } from '../bus/messenger.ts';
import { posterior } from '../domain/routing/thompson.ts';
import type { EvidenceAt } from '../domain/routing/evidence.ts';
import { TransientError } from '../errors.ts';
import { sequence } from '../events/index.ts';
import { configOption, jsonOption, natsUrlOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { locateYard, type AddressOptions, type Located } from './locate.ts';
import { grouped, micro, milliseconds } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { lastUpTo, parsePosition, positionHelp, type Position } from './position.ts';
import { differencesOf, rebuildEvidence, type EvidenceDifference, type RebuiltEvidence } from './rebuild-evidence.ts';
import { writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

type RebuildOptions = AddressOptions & { readonly at?: Position; readonly logAlone?: true };

export const addRebuild: AddCommand = (program, terminal) => {
  const command = program
    .command('rebuild')
    .summary("fold the router's state again and compare it with the live one")
    .description(
      "Folds the evidence of the arms again, as a router does when it starts: from ClickHouse's sums and the tail of the log, or from the log alone. Exit code 1 when it differs from the live state.",
    )
    .addOption(new Option('--at <place>', `the state as it was at ${positionHelp}; not compared`).argParser(parsePosition('--at')))
    .option('--log-alone', 'leave ClickHouse out')
    .addOption(jsonOption('one object'))
    .addOption(natsUrlOption())
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: RebuildOptions) => rebuild(terminal, options));
  withExamples(command, [
    ['./switchyard rebuild', 'is the live state what the log says?'],
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
    const rebuilt = await rebuildEvidence({ located, log, bounds, to, logAlone: options.logAlone === true, signal, note: terminal.note });
    const differences = live === null ? [] : differencesOf(rebuilt.evidence, live.evidence);
    const verdict = live === null ? 'not-compared' : differences.length === 0 ? 'equal' : 'different';
    await (options.json === true
      ? terminal.json({ ...asJson(located, rebuilt), live: verdict, differences })
      : show(terminal, located, rebuilt, { verdict, differences }));
    if (verdict === 'different') process.exitCode = exitCodes.failed;
    else if (live === null && options.at === undefined) process.exitCode = exitCodes.unreachable;
  });
};

const whole = z.int();
const stateSchema = z.object({
  sequence: whole,
  evidence: z.record(z.string(), z.object({ trials: whole, success: whole, streaming: whole, cache: whole, cost: whole })),
});

/** What the router knows at this moment. Without one there is nothing to compare with, and the log can be folded all the same. */
const liveState = async (terminal: Terminal, messenger: Messenger): Promise<EvidenceAt | null> => {
  try {
    const { sequence: at, evidence } = stateSchema.parse(await askRemote(messenger, 'router', { type: 'state' }));
    return { sequence: at, evidence: new Map(Object.entries(evidence)) };
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    terminal.note(`not compared with the live state: ${error.message}`);
    return null;
  }
};

const armsOf = ({ settings }: Located, { evidence }: RebuiltEvidence) => {
  const { policy, reward } = settings.config;
  return [...evidence]
    .toSorted(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([arm, known]) => {
      const { alpha, beta } = posterior(known, policy.prior, reward.weights);
      return { arm, ...known, alpha, beta, mean: alpha / (alpha + beta) };
    });
};

const asJson = (located: Located, rebuilt: RebuiltEvidence) => {
  const { evidence: _evidence, ...rest } = rebuilt;
  return { ...rest, arms: armsOf(located, rebuilt) };
};

type Comparison = { readonly verdict: 'equal' | 'different' | 'not-compared'; readonly differences: readonly EvidenceDifference[] };

const show = async (
  terminal: Terminal,
  located: Located,
  rebuilt: RebuiltEvidence,
  { verdict, differences }: Comparison,
): Promise<void> => {
  const right = (title: string) => ({ title, align: 'right' as const });
  const share = (sum: number, trials: number) => (trials === 0 ? '-' : micro(sum / trials));
  await writeTable(
    terminal,
    [
      { title: 'arm' },
      right('trials'),
      right('success'),
      right('streaming'),
      right('cache'),
      right('cost'),
      right('posterior mean'),
      right('alpha'),
      right('beta'),
    ],
    armsOf(located, rebuilt).map(({ arm, trials, success, streaming, cache, cost, alpha, beta, mean }) => [
      arm,
      grouped(trials),
      ...[success, streaming, cache, cost].map((sum) => share(sum, trials)),
      mean.toFixed(4),
      alpha.toFixed(2),
      beta.toFixed(2),
    ]),
  );
  const source =
    rebuilt.clickhouseSequence === null
      ? `the log alone, ${grouped(rebuilt.entriesRead)} messages`
      : `ClickHouse up to ${rebuilt.clickhouseSequence} and ${grouped(rebuilt.entriesRead)} messages of the log`;
  await terminal.line(`\nstate at sequence ${rebuilt.sequence}, from ${source}, in ${milliseconds(rebuilt.tookMs)}`);
  if (verdict === 'equal') await terminal.line(terminal.style('green', 'equal to the live state'));
  if (verdict !== 'different') return;
  await terminal.line(terminal.style('red', 'different from the live state:'));
  await writeTable(
    terminal,
    [{ title: 'arm' }, { title: 'field' }, right('rebuilt'), right('live')],
    differences.map(({ arm, field, rebuilt: folded, live }) => [arm, field, folded, live]),
  );
};
