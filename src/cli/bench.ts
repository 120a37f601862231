import { writeFile } from 'node:fs/promises';
import { Argument, InvalidArgumentError, Option } from 'commander';
import { describeMark, shortfallsOf, verdictOf } from '../../bench/marks.ts';
import { benchmarks } from '../../bench/registry.ts';
import type { BenchReport } from '../../bench/report.ts';
import { runBenchmark } from '../../bench/run-benchmark.ts';
import { refuseTaken, requireFolders } from '../replay/interchange/names-to-write.ts';
import { writeNewFiles } from '../replay/interchange/new-files.ts';
import { jsonOption, withExamples, type AddCommand } from './command.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

type BenchOptions = {
  readonly json?: true;
  readonly check?: true;
  readonly out?: string;
  readonly scale: number;
  readonly peers: boolean;
  readonly data?: string;
};

/** `./switchyard bench <name>`: one benchmark of bench/, its figures as tables or JSON, its marks as an exit code. */
export const addBench: AddCommand = (program, terminal) => {
  const list = Object.entries(benchmarks).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  const command = program
    .command('bench')
    .description('measure the yard on this machine')
    .addArgument(new Argument('<name>', 'which benchmark').choices(Object.keys(benchmarks)))
    .addOption(jsonOption('the report as one JSON object'))
    .option('--check', 'exit with 1, and name each mark, when a mark falls short')
    .option('--no-peers', 'leave out other products, which npm installs into a temporary folder')
    .option('--data <folder>', 'recorded prompts for `routing`: val.jsonl.gz and test.jsonl.gz in the form of the ParetoBandit data')
    .option('--out <file>', 'write the report as JSON to this file too')
    .addOption(
      new Option('--scale <share>', 'shrink counts and times, to try a benchmark out; figures of less than 1 say little')
        .argParser(scaleOf)
        .default(1),
    )
    .addHelpText('after', `\nBenchmarks:\n${list.join('\n')}`)
    .action(async (name: string, options: BenchOptions) => {
      const benchmark = benchmarks[name];
      if (benchmark === undefined) throw usageError(`expected one of ${Object.keys(benchmarks).join(', ')}, got "${name}"`);
      if (options.out !== undefined) await requireWritable(options.out);
      const report = await runBenchmark(name, benchmark, {
        note: terminal.note,
        signal: terminal.interrupted(),
        scale: options.scale,
        peers: options.peers,
        data: options.data ?? null,
      });
      if (options.out !== undefined) await write(options.out, report);
      await (options.json === true ? terminal.json(report) : writeReport(terminal, report));
      process.exitCode = judge(terminal, report, options.check === true);
    });
  withExamples(command, [
    ['./switchyard bench overhead', 'what the yard adds to a request, beside a direct call and Portkey'],
    ['./switchyard bench overhead --json --out overhead.json', 'the same for programs'],
    ['./switchyard bench routing --data paretobandit', 'reward under a budget, beside the published rows'],
    ['./switchyard bench rebuild --check', 'exit code 1 when a mark falls short'],
  ]);
};

const scaleOf = (text: string): number => {
  const scale = Number(text);
  if (!(scale > 0 && scale <= 1)) throw new InvalidArgumentError('Expected a number above 0, up to 1.');
  return scale;
};

/** Before minutes of measuring. A report of before is replaced. */
const requireWritable = async (file: string): Promise<void> => {
  await requireFolders([file]);
  await refuseTaken([file], { force: true });
};

const write = (file: string, report: BenchReport): Promise<void> =>
  writeNewFiles([file], { force: true }, ([temporary = file]) => writeFile(temporary, `${JSON.stringify(report, null, 2)}\n`));

const writeReport = async (terminal: Terminal, { machine, settings, tables, marks, notMeasured, elapsedSeconds }: BenchReport) => {
  await terminal.line(
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Node ${machine.node}; took ${elapsedSeconds} s`,
  );
  await terminal.line(
    Object.entries(settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  for (const { title, columns, rows } of tables) {
    await terminal.line(`\n${terminal.style('bold', title)}`);
    await writeTable(
      terminal,
      columns.map((column, i) => ({ title: column, align: i === 0 ? 'left' : 'right' })),
      rows.map((row) => row.map((cell) => cell ?? '-')),
    );
  }
  await terminal.line(`\n${terminal.style('bold', 'Marks')}`);
  for (const mark of marks) await terminal.line(`${verdictOf(mark).padEnd(12)}  ${describeMark(mark)}`);
  for (const what of notMeasured) await terminal.line(`not measured  ${what}`);
};

/** Tells what falls short and what could not be told; the exit code speaks only when it was asked for. */
const judge = (terminal: Terminal, { marks }: BenchReport, check: boolean) => {
  const short = shortfallsOf(marks);
  if (check) {
    for (const mark of short) terminal.note(terminal.noteStyle('red', `falls short: ${describeMark(mark)}`));
    for (const mark of marks.filter(({ value }) => value === null)) terminal.note(`not measured: ${mark.name}`);
  }
  return check && short.length > 0 ? exitCodes.failed : exitCodes.ok;
};
