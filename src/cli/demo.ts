import path from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { DemoReport } from '../demo/demo-report.ts';
import { runDemo, type DemoOptions } from '../demo/run-demo.ts';
import { describeParity } from '../demo/parity.ts';
import { jsonOption, wholeNumber, withExamples, type AddCommand } from './command.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { dollars, grouped, milliseconds } from './numbers.ts';
import { writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

type Flags = {
  readonly data?: string;
  readonly trace?: string;
  readonly speed?: number | 'max';
  readonly limit?: number;
  readonly concurrency: number;
  readonly via: DemoOptions['via'];
  readonly seed: number;
  readonly keep?: true;
  readonly json?: true;
};

const usualSpeed = 60;

/** `./switchyard demo`: real prompts through a yard of its own, and the account of what came of them. */
export const addDemo: AddCommand = (program, terminal) => {
  const command = program
    .command('demo')
    .summary('send prompts through a yard of its own and account for each')
    .description(
      'Starts a yard of its own in a temporary folder, sends prompts through it, and shows what each arm was given, scored and cost, and that every request is accounted for in the log and in ClickHouse. Exits with 1 when one is not.',
    )
    .option(
      '--data <folder>',
      'real prompts with measured rewards and costs (ParetoBandit); without it simulated models answer made-up prompts',
    )
    .option('--trace <csv>', 'arrival times of real requests (Azure LLM inference trace); without it they go as fast as they can')
    .addOption(
      new Option(
        '--speed <times>',
        `how many times as fast as the trace, or "max" (default: ${usualSpeed} with --trace, else max)`,
      ).argParser(speedOf),
    )
    .addOption(new Option('--limit <count>', 'send only so many').argParser(wholeNumber(1, 1_000_000)))
    .addOption(new Option('--concurrency <count>', 'requests under way at a time, at most').argParser(wholeNumber(1, 512)).default(32))
    .addOption(new Option('--via <way>', 'how they enter').choices(['http', 'nats']).default('http'))
    .addOption(new Option('--seed <number>', 'of the order of the prompts').argParser(wholeNumber(0, 2 ** 32 - 1)).default(1))
    .option('--keep', 'leave the data for questions by SQL')
    .addOption(jsonOption('the report as one object'))
    .action(async (flags: Flags) => {
      const report = await runDemo(optionsOf(flags), { note: terminal.note, signal: terminal.interrupted() });
      await (flags.json === true ? terminal.json(report) : writeReport(terminal, report));
      for (const mismatch of report.mismatches) terminal.note(terminal.noteStyle('red', `parity: ${mismatch}`));
      process.exitCode = report.mismatches.length === 0 ? exitCodes.ok : exitCodes.failed;
    });
  withExamples(command, [
    ['./switchyard demo', 'simulated models, made-up prompts'],
    ['./switchyard demo --data ../paretobandit', 'real prompts, three real models, from their record'],
    ['./switchyard demo --data ../paretobandit --trace conv.csv --speed 30', 'arriving as real requests did, 30 times as fast'],
    ['./switchyard demo --via nats --limit 100 --json', 'over NATS, for programs'],
  ]);
};

const optionsOf = ({ data, trace, speed, limit, concurrency, via, seed, keep }: Flags): DemoOptions => {
  if (typeof speed === 'number' && trace === undefined)
    throw usageError(`--speed: expected --trace <csv> with it, or "max"; got ${speed} alone`);
  return {
    data: data === undefined ? undefined : path.resolve(data),
    trace: trace === undefined || speed === 'max' ? undefined : path.resolve(trace),
    speed: typeof speed === 'number' ? speed : usualSpeed,
    limit,
    concurrency,
    via,
    seed,
    keep: keep === true,
  };
};

const speedOf = (text: string): number | 'max' => {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (!(speed > 0 && speed <= 100_000)) throw new InvalidArgumentError('Expected a number above 0, up to 100000, or "max".');
  return speed;
};

const writeReport = async (terminal: Terminal, report: DemoReport) => {
  const { requests, arms, overall, baselines, parity, mismatches, kept } = report;
  const title = (text: string) => terminal.line(`\n${terminal.style('bold', text)}`);
  const reward = (value: number | null) => (value === null ? '-' : value.toFixed(4));
  const right = (text: string) => ({ title: text, align: 'right' as const });

  await title(`Arms${report.simulated ? ' (simulated: no real model was asked)' : ' (recorded rewards and costs of real models)'}`);
  await writeTable(
    terminal,
    [
      { title: 'arm' },
      right('requests'),
      right('share'),
      right('from cache'),
      right('failed'),
      right('measured reward'),
      right('cost per request'),
      right('latency'),
    ],
    arms.map((arm) => [
      arm.arm === '' ? '(none)' : arm.arm,
      grouped(arm.requests),
      `${((100 * arm.requests) / Math.max(1, requests)).toFixed(1)} %`,
      grouped(arm.fromCache),
      grouped(arm.failed),
      reward(arm.measuredReward),
      dollars(arm.costUsdPerRequest),
      milliseconds(arm.latencyMsMedian),
    ]),
  );

  await title(baselines === null ? 'All together' : 'Against always the same model, on the same prompts by their record');
  await writeTable(
    terminal,
    [{ title: 'who chooses' }, right('measured reward'), right('cost per request')],
    [
      ['this yard', reward(overall.measuredReward), dollars(overall.costUsdPerRequest)],
      ...(baselines ?? []).map(({ name, reward: mean, costUsd }) => [name, reward(mean), dollars(costUsd)]),
    ],
  );

  await terminal.line();
  await terminal.line(paceOf(report));
  if (report.fromCache > 0) await terminal.line(`${grouped(report.fromCache)} repeated prompts were answered from the cache.`);
  const failures = Object.entries(report.failures).map(([code, count]) => `${code} ${count}`);
  if (failures.length > 0) await terminal.line(`Failed: ${failures.join(', ')}.`);
  await terminal.line(
    `${terminal.style('bold', mismatches.length === 0 ? 'Parity holds' : 'Parity is broken')}: ${describeParity(parity)}`,
  );
  if (kept !== null) await terminal.line(howToAsk(kept.configFile, kept.folder));
};

const paceOf = ({ requests, elapsedMs, latestMs, drainMs, repeatedAttempts }: DemoReport): string =>
  [
    `${grouped(requests)} requests in ${milliseconds(elapsedMs)}, ${grouped((requests / elapsedMs) * 1_000)} a second`,
    ...(latestMs === null ? [] : [`the latest was sent ${milliseconds(latestMs)} after it was due`]),
    ...(repeatedAttempts === 0 ? [] : [`${grouped(repeatedAttempts)} attempts beyond the first`]),
    `all was recorded ${milliseconds(drainMs)} later.`,
  ].join('; ');

const howToAsk = (configFile: string, folder: string): string =>
  [
    '',
    `The data are kept in ${folder}. To ask them, start that yard again and query it:`,
    `  ./switchyard up --config ${configFile}`,
    `  ./switchyard sql --config ${configFile} "SELECT arm, count() FROM decisions GROUP BY arm"`,
    `To remove them: rm -r ${folder}`,
  ].join('\n');
