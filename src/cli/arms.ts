import { Option } from 'commander';
import { compareArms } from './arms-compare.ts';
import { explainPrompt, type ExplainOptions } from './arms-explain.ts';
import { showArms } from './arms-overview.ts';
import { configOption, jsonOption, natsUrlOption, sqlUrlOption, withExamples, type AddCommand } from './command.ts';
import { usageError } from './exit-codes.ts';
import { fromOption, toOption, type PeriodOptions } from './period.ts';
import type { Terminal } from './terminal.ts';

type ArmsOptions = ExplainOptions & PeriodOptions & { readonly explain?: string; readonly compare?: true | readonly string[] };

export const addArms: AddCommand = (program, terminal) => {
  const command = program
    .command('arms')
    .summary('show how the arms do, why one would be drawn, and how they compare')
    .description(
      'Per arm of a period: share of the decisions, reward and its parts with 95 % intervals, cost, latency, failures and circuit breaker. --explain computes how a prompt would be routed now, --compare what each arm would have made of the same requests. docs/cli.md says how to read them.',
    )
    .addOption(fromOption())
    .addOption(toOption())
    .option('-t, --tenant <name>', 'of one tenant; with --explain who asks (default: the first of the configuration)')
    .addOption(
      new Option('--explain <prompt>', 'features, beliefs, probabilities and exclusions for a prompt (- reads it from stdin)').conflicts([
        'from',
        'to',
      ]),
    )
    .option('-m, --model <name>', 'with --explain: the arm or model that the request names (default: auto)')
    .option('--conversation <id>', 'with --explain: the conversation that the request belongs to')
    .addOption(new Option('--compare [arms...]', 'differences between two arms, or between all pairs').conflicts('explain'))
    .addOption(jsonOption('one object'))
    .addOption(natsUrlOption())
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: ArmsOptions) => arms(terminal, options));
  withExamples(command, [
    ['./switchyard arms --from 1d', 'the last day'],
    ['./switchyard arms --explain "What is a Lagrangian?"', 'where would it go, and why?'],
    ['./switchyard arms --explain - --model sim-large < prompt.txt', 'a longer prompt, for the arms of one model'],
    ['./switchyard arms --compare --from 7d', 'all pairs over the last week'],
    ['./switchyard arms --compare small large --json | jq ".pairs[0].measures.reward"', 'two arms, for programs'],
  ]);
};

const arms = (terminal: Terminal, options: ArmsOptions): Promise<void> => {
  const { explain, compare, model, conversation } = options;
  if (explain !== undefined) return explainPrompt(terminal, explain, options);
  if (model !== undefined || conversation !== undefined)
    throw usageError(`${model === undefined ? '--conversation' : '--model'}: expected together with --explain`);
  if (compare !== undefined) return compareArms(terminal, compare === true ? [] : compare, options);
  return showArms(terminal, options);
};
