import { InvalidArgumentError, Option } from 'commander';
import { givenFile } from '../config/load.ts';
import { loadPriceFile } from '../config/price-file.ts';
import { priceSchema } from '../config/schema.ts';
import type { Price } from '../domain/price.ts';
import { rewardWeightsSchema } from '../events/schemas/policy.ts';
import type { RewardWeights } from '../domain/reward/reward.ts';
import type { Candidate } from '../replay/evaluation/candidate.ts';
import type { LearningMethod } from '../replay/evaluation/learning-candidate.ts';
import type { EvaluationReport, RewardModelKind } from '../replay/evaluation/report.ts';
import { mostSingleArms, singleArm, singleArmKind } from '../replay/evaluation/single-arm.ts';
import { refuseTakenPage, writeReportPage } from '../replay/report-page/write-report-page.ts';
import {
  collect,
  configOption,
  jsonOption,
  natsUrlOption,
  number,
  sqlUrlOption,
  wholeNumber,
  withExamples,
  type AddCommand,
} from './command.ts';
import { evaluateFile } from './evaluate-file.ts';
import { evaluateLog } from './evaluate-log.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import type { AddressOptions } from './locate.ts';
import { fromOption, toOption, type PeriodOptions } from './period.ts';
import { refuseInput } from './require-file.ts';
import { showEvaluation } from './show-evaluation.ts';
import { nameInWords, type Terminal } from './terminal.ts';

export type EvaluateOptions = AddressOptions &
  PeriodOptions & {
    readonly policy: readonly string[];
    readonly everyArm?: true;
    readonly file?: string;
    readonly campaign?: string;
    readonly outcomesUpTo?: number;
    readonly reward?: RewardWeights;
    readonly price?: Readonly<Record<string, Price>>;
    readonly prices?: string;
    readonly learning?: true | LearningMethod;
    readonly rewardModel: RewardModelKind;
    readonly alpha: number;
    readonly seed: string;
    readonly resamples: number;
    readonly force?: true;
    readonly all?: true;
    readonly html?: string;
    readonly replace?: true;
  };

export const addEvaluate: AddCommand = (program, terminal) => {
  const command = program
    .command('evaluate')
    .summary('what would another policy have earned? asked of the log')
    .description(
      'Off-policy evaluation: estimates from logged decisions what other policies would have earned, cost and taken, with intervals, and whether they are better than the policy that made the log. Exit code 1 when it refuses to conclude, of a policy, or of the regret. docs/evaluation.md says when to believe it.',
    )
    .addOption(
      new Option('-p, --policy <file>', 'a policy, as for `policy activate`; again for each further one')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--every-arm', 'each arm alone, too: what the best of them would have earned more (regret)')
    .addOption(fromOption())
    .addOption(toOption())
    .option('-t, --tenant <name>', 'of one tenant (default: all)')
    .addOption(
      new Option('--outcomes-up-to <sequence>', 'see outcomes as they stood there (default: now)').argParser(
        wholeNumber(0, Number.MAX_SAFE_INTEGER),
      ),
    )
    .addOption(new Option('--file <file>', 'a file of logged decisions in place of the log (export or import made it); - no yard is asked'))
    .option('--campaign <name>', 'with --file: which of the campaigns of a file of priors')
    .addOption(
      new Option('--reward <weights>', 'what if the reward were weighed so: success=.4,streaming=.2,cache=.2,cost=.2 (sum 1)').argParser(
        weightsOf,
      ),
    )
    .addOption(
      new Option('--price <arm=in/out>', 'what if an arm cost so many dollars for a million tokens; again for each further arm').argParser(
        priceOf,
      ),
    )
    .option('--prices <file>', 'the same of many arms, from a file: arm: {inputUsdPerMillionTokens, outputUsdPerMillionTokens}')
    .addOption(
      new Option('--learning [method]', 'policies that learn are evaluated as they learn, not frozen at --from').choices([
        'doubly-robust-replay',
        'rejection-replay',
      ]),
    )
    .addOption(
      new Option(
        '--reward-model <kind>',
        'each record is predicted from those before it, from the other four fifths, from all (as other tools do), or not at all',
      )
        .choices(['past', 'cross-fitted', 'in-sample', 'none'])
        .default('past'),
    )
    .addOption(
      new Option('--alpha <probability>', 'of error: intervals hold with 1 less this')
        .argParser(number(0, 0.5, { above: true }))
        .default(0.05),
    )
    .option('--seed <text>', 'of the bootstrap and of the draws of policies that learn', '1')
    .addOption(new Option('--resamples <count>', 'of the bootstrap').argParser(wholeNumber(1, 100_000)).default(1_000))
    .option('--force', 'conclude although log and policy hardly overlap')
    .option('--all', 'show every estimator, interval and quantity')
    .option('--html <file>', 'write the report as a page with charts')
    .option('--replace', 'with --html: replace the file when it is there')
    .addOption(jsonOption('the whole report, one object'))
    .addOption(natsUrlOption())
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: EvaluateOptions) => run(terminal, options));
  withExamples(command, [
    ['./switchyard evaluate --policy greedy.yaml --from 7d', 'is it better than what decided the last week?'],
    [
      './switchyard evaluate -p a.yaml -p b.yaml --from 4711 --to 90000 --html report.html',
      'two of them, one control of error, with charts',
    ],
    ['./switchyard evaluate -p cheap.yaml --from 7d --reward success=.5,cost=.5 --price large=2/8', 'what if'],
    ['./switchyard evaluate --every-arm --from 7d', 'how far is it from the best single arm? (regret)'],
    ['./switchyard evaluate -p thompson.yaml --from 7d --learning', 'a policy that learns, as it learns'],
    ['./switchyard evaluate -p uniform --file bts.jsonl --json | jq .candidates[0].verdict', 'a log from elsewhere, for programs'],
  ]);
};

const run = async (terminal: Terminal, options: EvaluateOptions): Promise<void> => {
  if (options.policy.length === 0 && options.everyArm !== true)
    throw usageError('expected --policy <file>, --every-arm, or both; got neither');
  const replace = options.replace === true;
  refuseInput('--html', options.html, [...options.policy, options.file, options.prices, options.config]);
  if (options.html !== undefined) await refuseTakenPage(options.html, { replace });
  const asked = withPrices(options);
  const report = await (asked.file === undefined ? evaluateLog(terminal, asked) : evaluateFile(terminal, asked, asked.file));
  if (options.html !== undefined) {
    await writeReportPage(report, options.html, { replace });
    terminal.note(`the report is in ${options.html}`);
  }
  await (options.json === true ? terminal.json(report) : showEvaluation(terminal, report, { all: options.all === true }));
  terminal.done();
  if (isRefused(report)) process.exitCode = exitCodes.failed;
};

/** What a single `--price` says of an arm counts before what the file says. */
const withPrices = (options: EvaluateOptions): EvaluateOptions =>
  options.prices === undefined ? options : { ...options, price: { ...loadPriceFile(options.prices), ...options.price } };

/** What was asked for is not answered: of a policy whether it is better, of single arms the regret. That the log says too little of one arm is part of that answer. */
const isRefused = ({ candidates, regret }: EvaluationReport): boolean =>
  candidates.some(({ kind, verdict }) => kind !== singleArmKind && verdict.kind === 'refused') ||
  (regret !== null && regret.intervals.length === 0);

const parts = ['success', 'streaming', 'cache', 'cost'] as const;

/** Parts that are not named weigh 0. */
const weightsOf = (text: string): RewardWeights => {
  const given = new Map<string, number>();
  for (const piece of text.split(',')) {
    const [name = '', value = ''] = piece.split('=').map((side) => side.trim());
    if (!parts.some((part) => part === name) || given.has(name) || !/^\d*\.?\d+$/.test(value))
      throw new InvalidArgumentError(
        `Expected weights such as success=.4,streaming=.2,cache=.2,cost=.2, each part once; got "${piece.slice(0, 40)}".`,
      );
    given.set(name, Number(value));
  }
  const weights = Object.fromEntries(parts.map((part) => [part, given.get(part) ?? 0]));
  const parsed = rewardWeightsSchema.safeParse(weights);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(
    `Expected weights that sum to 1, got ${Number([...given.values()].reduce((sum, one) => sum + one, 0).toPrecision(12))}.`,
  );
};

const priceOf = (text: string, before: Readonly<Record<string, Price>> | undefined): Readonly<Record<string, Price>> => {
  // Arms of other systems may be called anything.
  const [, arm, input, output] = /^(.+)=([^=/]+)\/([^=/]+)$/s.exec(text) ?? [];
  const price = { inputUsdPerMillionTokens: dollarsOf(input), outputUsdPerMillionTokens: dollarsOf(output) };
  if (arm === undefined || Object.hasOwn(before ?? {}, arm) || !priceSchema.safeParse(price).success)
    throw new InvalidArgumentError(
      `Expected an arm and its prices in dollars for a million tokens of prompt and answer (0 to 10000), each arm once, such as large=2.5/10; got "${text.slice(0, 60)}".`,
    );
  return { ...before, [arm]: price };
};

const dollarsOf = (text: string | undefined): number =>
  text !== undefined && /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;

/** The command that makes the report again, its period frozen. */
export const commandLine = (
  options: EvaluateOptions,
  frozen: { readonly from: number; readonly to: number; readonly outcomesUpTo: number } | null,
): string => {
  const { policy, everyArm, reward, price, learning, rewardModel, alpha, seed, resamples, force, tenant, file, campaign } = options;
  // The log of another yard is another log.
  const config = givenFile(options.config);
  const words = [
    ...policy.flatMap((one) => ['--policy', one]),
    ...(everyArm === true ? ['--every-arm'] : []),
    ...(file === undefined ? [] : ['--file', file]),
    ...(campaign === undefined ? [] : ['--campaign', campaign]),
    ...(frozen === null
      ? [...placeOf('--from', options.from), ...placeOf('--to', options.to)]
      : ['--from', String(frozen.from), '--to', String(frozen.to), '--outcomes-up-to', String(frozen.outcomesUpTo)]),
    ...(tenant === undefined ? [] : ['--tenant', tenant]),
    ...(config === null ? [] : ['--config', config]),
    ...(reward === undefined ? [] : ['--reward', parts.map((part) => `${part}=${reward[part]}`).join(',')]),
    ...Object.entries(price ?? {}).flatMap(([arm, one]) => [
      '--price',
      `${arm}=${one.inputUsdPerMillionTokens}/${one.outputUsdPerMillionTokens}`,
    ]),
    ...(learning === undefined ? [] : ['--learning', learning === true ? 'doubly-robust-replay' : learning]),
    ...(rewardModel === 'past' ? [] : ['--reward-model', rewardModel]),
    ...['--alpha', String(alpha), '--seed', seed, '--resamples', String(resamples)],
    ...(force === true ? ['--force'] : []),
  ];
  return ['./switchyard evaluate', ...words.map(quoted)].join(' ');
};

const placeOf = (option: string, place: PeriodOptions['from']): readonly string[] =>
  place === undefined ? [] : [option, place.kind === 'sequence' ? String(place.sequence) : new Date(place.timeMs).toISOString()];

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`);

/** With `--every-arm` each arm alone is a candidate; without it, none. */
export const singleArms = ({ everyArm }: EvaluateOptions, arms: readonly string[]): readonly Candidate[] => {
  if (everyArm !== true) return [];
  if (arms.length > mostSingleArms)
    throw usageError(
      `--every-arm: expected at most ${mostSingleArms} arms, got ${arms.length}: each of them makes all intervals wider; name those that matter as policies of their own`,
    );
  return arms.map(singleArm);
};

/** A price of an arm that there is not changes nothing, which nobody asks for. */
export const requireKnownPrices = (price: NonNullable<EvaluateOptions['price']>, arms: readonly string[]): void => {
  const unknown = Object.keys(price).find((arm) => !arms.includes(arm));
  if (unknown !== undefined)
    throw usageError(
      `--price, --prices: expected an arm such as ${arms.slice(0, 8).map(nameInWords).join(', ')}; got "${nameInWords(unknown)}"`,
    );
};

/** A policy is named twice only by mistake: two columns of the report could not be told apart. */
export const requireDistinct = (names: readonly string[]): void => {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw usageError(`--policy: expected policies with an id each, got "${twice.slice(0, 64)}" twice`);
};
