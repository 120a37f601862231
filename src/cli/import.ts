import { Option } from 'commander';
import path from 'node:path';
import { armsOf } from '../replay/interchange/action-distribution.ts';
import { takesAnything } from '../replay/interchange/arms-of-log.ts';
import { readActionDistribution } from '../replay/interchange/read-action-distribution.ts';
import { readItemNames } from '../replay/interchange/read-item-names.ts';
import { clickWeights, readOpenBandit } from '../replay/interchange/read-open-bandit.ts';
import { leftoversWith, type Leftovers } from '../replay/interchange/leftovers.ts';
import { tallied, type LogSummary } from '../replay/interchange/log-tally.ts';
import type { LoggedDecision } from '../replay/logged/logged-decision.ts';
import { writeLog } from '../replay/interchange/write-log.ts';
import { jsonOption, withExamples, type AddCommand } from './command.ts';
import { usageError } from './exit-codes.ts';
import { leftoversInWords } from './leftovers-in-words.ts';
import { counted } from '../replay/evaluation/sentences.ts';
import { grouped } from './numbers.ts';
import { refuseInput, requireReadable } from './require-file.ts';
import { printable, type Terminal } from './terminal.ts';

type ImportOptions = {
  readonly format: 'openbandit';
  readonly out: string;
  readonly policy: string;
  readonly tenant: string;
  readonly actionDist?: string;
  readonly campaign?: string;
  readonly itemContext?: string;
  readonly skipBad?: true;
  readonly force?: true;
  readonly json?: true;
};

export const addImport: AddCommand = (program, terminal) => {
  const command = program
    .command('import')
    .summary('make a file for evaluate of a log from elsewhere')
    .description(
      'Reads a log in the columns of the Open Bandit Dataset and writes the same decisions as JSON lines, which evaluate --file takes. Asks no yard. docs/interchange.md has the columns of both.',
    )
    .argument('<file>', 'the log, .csv or .csv.gz, made by one policy: its columns do not say which')
    .addOption(new Option('--format <name>', 'what the log is').choices(['openbandit']).makeOptionMandatory())
    .requiredOption('-o, --out <file>', 'the file to write, .jsonl or .jsonl.gz')
    .option('--policy <name>', 'the policy that made the log', 'imported')
    .option('-t, --tenant <name>', 'the tenant that the records are given', 'imported')
    .option('--action-dist <file>', 'the distribution that the policy chose from: a table by item and position, a Beta prior, or "uniform"')
    .option('--campaign <name>', 'with --action-dist: which of the campaigns of a file of priors')
    .option('--item-context <file>', 'item_context.csv: the items that there are, and in its column arm their names')
    .option('--skip-bad', 'leave out rows that cannot be read, and count them')
    .option('--force', 'replace what is there')
    .addOption(jsonOption('one object'))
    .action((file: string, options: ImportOptions) => importLog(terminal, file, options));
  withExamples(command, [
    [
      './switchyard import --format openbandit random/men/men.csv --policy random --out random.jsonl.gz',
      'a log of the Open Bandit Dataset',
    ],
    [
      './switchyard import --format openbandit men.csv.gz --action-dist prior_bts.yaml --campaign men --out bts.jsonl',
      'with what else could have been chosen',
    ],
    ['./switchyard import --format openbandit all.csv --item-context item_context.csv --out back.jsonl', 'a log that export wrote'],
  ]);
};

const mostShown = 5;

const importLog = async (terminal: Terminal, file: string, options: ImportOptions): Promise<void> => {
  const signal = terminal.interrupted();
  const { actionDist, campaign, itemContext, policy, tenant } = options;
  for (const [option, name, most] of [
    ['--policy', policy, 1_024],
    ['--tenant', tenant, 128],
  ] as const)
    if (name.length > most) throw usageError(`${option}: expected at most ${most} characters, got ${name.length}`);
  if (campaign !== undefined && actionDist === undefined) throw usageError('--campaign: expected together with --action-dist');
  if (actionDist === 'uniform' && itemContext === undefined)
    throw usageError('--action-dist uniform: expected together with --item-context, which says what items there are');
  for (const one of [file, actionDist, itemContext]) if (one !== undefined) requireReadable(one);
  refuseInput('--out', options.out, [file, actionDist, itemContext]);
  const names = itemContext === undefined ? new Map<number, string>() : await readItemNames(itemContext);
  const logger = actionDist === undefined ? null : await readActionDistribution(actionDist, campaign);
  let skipped = 0;
  const onBad = (where: string, reason: string): void => {
    skipped += 1;
    if (skipped <= mostShown) terminal.note(printable(`left out ${where}: ${reason}`));
  };
  let copies = 0;
  const onCopy = (): void => {
    copies += 1;
  };
  let others = 0;
  let largestRatio = 1;
  const onOther = (ratio: number): void => {
    others += 1;
    largestRatio = Math.max(largestRatio, ratio);
  };
  const leftovers = leftoversWith({ names, logger });
  const { onColumns } = leftovers;
  const records = readOpenBandit(file, {
    policy,
    tenant,
    logger,
    names,
    onOther,
    onColumns,
    onCopy,
    ...(options.skipBad === true ? { onBad } : {}),
  });
  const { batches, summary } = tallied(watched(records, signal, leftovers.see));
  const items = itemContext !== undefined ? [...names.values()] : logger === null ? null : armsOf(logger);
  const origin = {
    source: `Open Bandit log ${path.basename(file)}`,
    period: { from: null, to: null },
    tenant,
    weights: clickWeights,
    // Also those that no row names.
    arms: items?.map(takesAnything) ?? null,
  };
  const left = () => ({ ...(skipped === 0 ? {} : { skipped }), ...(copies === 0 ? {} : { copies }) });
  await writeLog(options.out, origin, batches, { force: options.force ?? false, left });
  await tell(terminal, options, {
    out: options.out,
    skipped,
    copies,
    withoutCandidates: logger === null ? summary().records : others,
    largestRatio,
    ...summary(),
    ...leftovers.summary(),
  });
  terminal.done();
};

async function* watched(
  batches: AsyncIterable<readonly LoggedDecision[]>,
  signal: AbortSignal,
  see: (decision: LoggedDecision) => void,
): AsyncGenerator<readonly LoggedDecision[], void, undefined> {
  for await (const batch of batches) {
    signal.throwIfAborted();
    batch.forEach(see);
    yield batch;
  }
}

type Imported = LogSummary &
  Leftovers & {
    readonly out: string;
    readonly skipped: number;
    /** Rows that say the same as an earlier one in all columns but the index. */
    readonly copies: number;
    /** Whose propensity is not what the distribution says, or all where no distribution was given. */
    readonly withoutCandidates: number;
    /** By how much the two differ at most; 1: they do not, or no distribution was given. */
    readonly largestRatio: number;
  };

/** Beyond this a distribution is hardly that of the log: simulated ones are off by some percent for rare items. */
const suspiciousRatio = 2;

const tell = async (terminal: Terminal, { json }: ImportOptions, imported: Imported): Promise<void> => {
  const { out, records, arms, skipped, copies, withoutOutcome, withoutCandidates, largestRatio } = imported;
  if (skipped > 0) terminal.note(`${counted(skipped, 'row')} could not be read and ${skipped === 1 ? 'was' : 'were'} left out`);
  if (withoutOutcome > 0)
    terminal.note(
      `${counted(withoutOutcome, 'row')} ${withoutOutcome === 1 ? 'has' : 'have'} no click: kept as decisions of which nothing came`,
    );
  if (copies > 0)
    terminal.note(
      `${counted(copies, 'row')} ${copies === 1 ? 'says' : 'say'} the same as an earlier one in all columns but the index, and ${copies === 1 ? 'is' : 'are'} kept: is the log, or a part of it, there twice?`,
    );
  if (largestRatio > 1)
    terminal.note(
      `${grouped(withoutCandidates)} of ${grouped(records)} have another propensity_score than the action distribution says: these keep theirs, and have no list of candidates`,
    );
  if (largestRatio > suspiciousRatio)
    terminal.note(
      `a propensity_score and the action distribution differ by a factor of ${largestRatio.toPrecision(3)}: are they of the same policy, and is the log of one alone?`,
    );
  for (const note of leftoversInWords(imported)) terminal.note(printable(note));
  if (json === true) await terminal.json(imported);
  else
    terminal.note(
      `${grouped(records)} ${records === 1 ? 'decision' : 'decisions'} over ${grouped(arms)} ${arms === 1 ? 'item' : 'items'} in ${out}`,
    );
};
