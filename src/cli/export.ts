import { Option } from 'commander';
import { freezePeriod, largestWeightIn, offeredIn, readDecisions, type FrozenPeriod } from '../replay/logged/logged-decisions.ts';
import type { LoggedDecision } from '../replay/logged/logged-decision.ts';
import type { LogOrigin } from '../replay/interchange/log-format.ts';
import { tallied } from '../replay/interchange/log-tally.ts';
import { writeLog } from '../replay/interchange/write-log.ts';
import { openBanditFiles, writeOpenBandit } from '../replay/interchange/write-open-bandit.ts';
import { writeParquet } from '../replay/interchange/write-parquet.ts';
import { configOption, jsonOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { grouped } from './numbers.ts';
import { fromOption, requireOrder, toOption, type PeriodOptions } from './period.ts';
import { openProgress } from './progress.ts';
import { requireTenant } from './tenant.ts';
import type { Terminal } from './terminal.ts';
import { withClickhouse } from './with-clickhouse.ts';

type Format = 'jsonl' | 'openbandit' | 'parquet';
type ExportOptions = AddressOptions & PeriodOptions & { readonly format: Format; readonly out: string; readonly force?: true };

export const addExport: AddCommand = (program, terminal) => {
  const command = program
    .command('export')
    .summary('write decisions and what came of them to a file')
    .description(
      'Writes the decisions of a period, each with its propensities and with what came of it, to a file that other tools read. docs/interchange.md has the columns of each format, and what it loses.',
    )
    .addOption(
      new Option('--format <name>', 'jsonl: all of it; openbandit: CSV for Open Bandit Pipeline; parquet: columns')
        .choices(['jsonl', 'openbandit', 'parquet'])
        .makeOptionMandatory(),
    )
    .addOption(fromOption())
    .addOption(toOption())
    .option('-t, --tenant <name>', 'of one tenant')
    .requiredOption('-o, --out <path>', 'the file to write, .jsonl or .jsonl.gz or .parquet; with openbandit a folder')
    .option('--force', 'replace what is there')
    .addOption(jsonOption('one object'))
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: ExportOptions) => exportDecisions(terminal, options));
  withExamples(command, [
    ['./switchyard export --format jsonl --from 7d --out week.jsonl.gz', 'the last week, to be evaluated elsewhere'],
    ['./switchyard export --format openbandit --tenant acme --out acme-log', 'a folder for Open Bandit Pipeline'],
    ['./switchyard export --format parquet --from 2026-05-01 --to 2026-06-01 --out may.parquet', 'a month, for data frames'],
  ]);
};

const exportDecisions = async (terminal: Terminal, options: ExportOptions): Promise<void> => {
  requireOrder(options);
  const signal = terminal.interrupted();
  const located = locateYard(options);
  await requireTenant(located, options.tenant, signal);
  await withClickhouse(located, async (clickhouse) => {
    const period = await freezePeriod(clickhouse, options);
    const progress = openProgress('decisions', period.decisions);
    let done = 0;
    const watched = async function* () {
      for await (const batch of readDecisions(clickhouse, period, { signal })) {
        yield batch;
        progress.update((done += batch.length));
      }
    };
    const { batches, summary } = tallied(watched());
    try {
      const files = await write(
        options,
        {
          ...period,
          largestWeight: (await largestWeightIn(clickhouse, period)).largest,
          ...((await offeredIn(clickhouse, period)) ?? { arms: null, weights: located.settings.config.reward.weights }),
        },
        batches,
      );
      await tell(terminal, options, { format: options.format, files, ...summary(), period });
      terminal.done();
    } finally {
      progress.stop();
    }
  });
};

type Batches = AsyncIterable<readonly LoggedDecision[]>;

/** The files that were written. */
const write = async (
  { format, out, tenant, ...options }: ExportOptions,
  period: FrozenPeriod & Pick<LogOrigin, 'largestWeight' | 'arms' | 'weights'>,
  batches: Batches,
): Promise<readonly string[]> => {
  const force = options.force ?? false;
  switch (format) {
    case 'jsonl': {
      const { fromSequence, toSequence, logCreatedAt, outcomesUpTo, largestWeight, arms, weights } = period;
      const origin = {
        source: `Switchyard, log of ${logCreatedAt}, outcomes up to sequence ${outcomesUpTo}`,
        period: { from: String(fromSequence), to: String(toSequence) },
        tenant: tenant ?? null,
        weights,
        largestWeight,
        arms,
      };
      await writeLog(out, origin, batches, { force });
      return [out];
    }
    case 'openbandit': {
      await writeOpenBandit(out, batches, { force });
      const { log, items } = openBanditFiles(out);
      return [log, items];
    }
    case 'parquet':
      await writeParquet(out, batches, { force });
      return [out];
  }
};

type Exported = ReturnType<ReturnType<typeof tallied>['summary']> & {
  readonly format: Format;
  readonly files: readonly string[];
  readonly period: FrozenPeriod;
};

const tell = async (terminal: Terminal, { json }: ExportOptions, exported: Exported): Promise<void> => {
  const { format, files, records, withoutOutcome, duplicates, policies, arms, binary, period } = exported;
  if (json === true) {
    await terminal.json(exported);
    return;
  }
  terminal.note(
    `${grouped(records)} ${records === 1 ? 'decision' : 'decisions'} of ${grouped(arms)} ${arms === 1 ? 'arm' : 'arms'} by ${grouped(policies)} ${policies === 1 ? 'policy' : 'policies'}, sequences ${period.fromSequence} to ${period.toSequence}, in ${files.join(' and ')}`,
  );
  if (withoutOutcome > 0)
    terminal.note(
      `${grouped(withoutOutcome)} of them ${withoutOutcome === 1 ? 'has' : 'have'} no outcome${format === 'openbandit' ? ': they are left out, which this format cannot say' : ''}`,
    );
  if (duplicates > 0)
    terminal.note(
      `${grouped(duplicates)} of them ${duplicates === 1 ? 'was' : 'were'} there before, under the same id${format === 'openbandit' ? ': left out, as the rows have no id' : '; evaluate counts each once'}`,
    );
  if (format !== 'openbandit') return;
  if (!binary) terminal.note('click holds rewards from 0 to 1, not only 0 and 1');
  if (policies > 1) terminal.note(`the columns do not say which of the ${grouped(policies)} policies decided`);
};
