import { type Command, Option } from 'commander';
import type { PolicyChange, PolicyState } from '../actors/policy-change.ts';
import { loadPolicyFile } from '../config/policy-file.ts';
import { named, type PolicyContent } from '../domain/routing/policy-version.ts';
import { changePolicy } from './change-policy.ts';
import { configOption, jsonOption, natsUrlOption, number, sqlUrlOption, wholeNumber, withExamples, type AddCommand } from './command.ts';
import { unreachable, usageError } from './exit-codes.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { percent } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { showPolicy } from './policy-show.ts';
import { makeWarmStart } from './policy-warm-start.ts';
import type { Terminal } from './terminal.ts';

/** Shows and changes the policy of the running yard. The configuration is not written: it counts again when it changes. */
export const addPolicy: AddCommand = (program, terminal) => {
  const policy = program
    .command('policy')
    .summary('show or change how the router chooses, while the yard runs')
    .description('Shows and changes the policy of the running yard; docs/policies.md says how to do it safely.');

  const show = addTo(
    policy,
    'show',
    'Shows the policy in force, the canary and how it does, and the latest changes.',
    '{"inForce","canary","changes"}',
  )
    .addOption(new Option('--limit <count>', 'changes to show, the newest').argParser(wholeNumber(1, 1_000)).default(10))
    .addOption(sqlUrlOption())
    .action((options: AddressOptions & { readonly limit: number }) => showPolicy(terminal, options));
  withExamples(show, [
    ['./switchyard policy show', 'in force, canary, changes'],
    ['./switchyard policy show --json | jq .canary.comparisons', 'how the canary does, for programs'],
  ]);

  const activate = addTo(
    policy,
    'activate <file>',
    'Puts a policy in force for all requests at once. A canary that runs is withdrawn.',
    changedShape,
  ).action((file: string, options: AddressOptions) =>
    change(terminal, options, (state) => ({ kind: 'activate', content: contentFrom(file, state), origin: 'command' })),
  );
  withExamples(activate, [
    ['./switchyard policy activate greedy.yaml', 'takes effect with the next request'],
    ['./switchyard policy activate greedy.json --json | jq .sequence', 'where the change stands in the log'],
  ]);

  const canary = addTo(
    policy,
    'canary <file>',
    'Lets a second policy decide a share of the conversations (or of the requests that belong to none), and takes it back when it is worse. A canary that runs is withdrawn.',
    changedShape,
  )
    .addOption(
      new Option('--share <share>', `of the requests, ${leastShare} to 0.9`).argParser(number(leastShare, 0.9)).makeOptionMandatory(),
    )
    .addOption(
      new Option('--confidence <probability>', 'with which it must be worse to be taken back').argParser(number(0.5, 0.9999)).default(0.95),
    )
    .addOption(new Option('--min-requests <count>', 'of each side before it is judged').argParser(wholeNumber(10, 1_000_000)).default(50))
    .addOption(
      new Option('--reward-margin <reward>', 'a mean reward that is lower by less is no reason').argParser(number(0, 1)).default(0.01),
    )
    .addOption(
      new Option('--error-margin <share>', 'a share of failures that is higher by less is no reason').argParser(number(0, 1)).default(0.01),
    )
    .addOption(
      new Option('--cost-margin <fraction>', 'a mean cost that is higher by less, as a fraction, is no reason')
        .argParser(number(0, 100))
        .default(0.1),
    )
    .action((file: string, options: CanaryOptions) =>
      change(terminal, options, (state) => {
        const { share, confidence, minRequests, rewardMargin, errorMargin, costMargin } = options;
        const guard = { confidence, minRequests, rewardMargin, errorMargin, costMargin };
        return { kind: 'start-canary', content: differentFrom(state, contentFrom(file, state)), share, guard };
      }),
    );
  withExamples(canary, [
    ['./switchyard policy canary greedy.yaml --share 0.1', 'a tenth of the conversations'],
    ['./switchyard policy canary greedy.yaml --share 0.5 --confidence 0.99 --min-requests 500', 'more of them, judged later'],
  ]);

  const promote = addTo(policy, 'promote', 'Puts the canary in force for all requests.', changedShape).action((options: AddressOptions) =>
    change(terminal, options, (state) => {
      requireCanary(state);
      return { kind: 'promote' };
    }),
  );
  withExamples(promote, [['./switchyard policy promote', 'the canary has done well']]);

  const withdraw = addTo(policy, 'withdraw', 'Ends the canary; the policy in force decides all requests again.', changedShape).action(
    (options: AddressOptions) =>
      change(terminal, options, (state) => {
        requireCanary(state);
        return { kind: 'withdraw', reason: 'withdrawn by hand' };
      }),
  );
  withExamples(withdraw, [['./switchyard policy withdraw', 'the canary is not wanted any more']]);

  const warmStart = policy
    .command('warm-start <file>')
    .description(
      'Makes the warmStart block of a policy from records of requests that were answered and judged elsewhere: a file of lines {"arm", "messages" or "prompt", "reward": 0 to 1}, - for stdin. Asks no yard and changes nothing.',
    )
    .addOption(
      new Option('--max-trials <count>', 'what was known before counts as this many requests in each cell, at most')
        .argParser(number(0, 1e6, { above: true }))
        .default(50),
    )
    .addOption(jsonOption('{"warmStart","records","arms","leftOut"}'))
    .action((file: string, options: { readonly maxTrials: number; readonly json?: true }) => makeWarmStart(terminal, file, options));
  withExamples(warmStart, [
    ['./switchyard policy warm-start judged.jsonl >> policy.yaml', 'appends the block to a policy file'],
    ['zcat judged.jsonl.gz | ./switchyard policy warm-start - --max-trials 20 --json', 'from a pipe, for programs'],
  ]);
};

/** Of the requests. A canary that decides fewer than one in a thousand is hardly ever judged. */
const leastShare = 0.001;

const changedShape = '{"sequence","change","inForce","canary"}';

type CanaryOptions = AddressOptions & {
  readonly share: number;
  readonly confidence: number;
  readonly minRequests: number;
  readonly rewardMargin: number;
  readonly errorMargin: number;
  readonly costMargin: number;
};

const addTo = (policy: Command, name: string, description: string, json: string): Command =>
  policy.command(name).description(description).addOption(jsonOption(json)).addOption(natsUrlOption()).addOption(configOption());

const change = async (terminal: Terminal, options: AddressOptions, decide: (state: PolicyState) => PolicyChange): Promise<void> => {
  const { sequence, state } = await withBus(locateYard(options), (bus) => changePolicy(bus, decide));
  const { inForce, canary, latestChange } = state;
  if (options.json === true) {
    await terminal.json({ sequence, change: latestChange, inForce: inForce?.policy ?? null, canary: canary?.policy ?? null });
    return;
  }
  await terminal.line(`in force: ${inForce === null ? 'nothing' : nameOf(inForce)} (in the log at sequence ${sequence})`);
  if (canary !== null) await terminal.line(`canary:   ${nameOf(canary)} for ${percent(canary.share)} of the requests`);
};

const nameOf = ({ policy, spec }: PolicyContent): string => `${policy.id} ${policy.version}, ${spec.kind}`;

/** The policy of a file, over the arms and weights of the running yard. */
const contentFrom = (file: string, { inForce }: PolicyState): PolicyContent => {
  if (inForce === null) throw unreachable('no policy is in force yet: the yard is still starting; see ./switchyard status');
  const { weights, arms } = inForce;
  const spec = loadPolicyFile(
    file,
    arms.map(({ arm }) => arm),
  );
  return named({ spec, weights, arms });
};

/** A canary like the policy in force could not be told from it, in no decision and by no guard. */
const differentFrom = ({ inForce }: PolicyState, content: PolicyContent): PolicyContent => {
  if (inForce?.policy.version !== content.policy.version) return content;
  throw usageError(
    `expected another policy than the one in force, got the same: ${nameOf(content)}; to compare it with itself (an A/A test) give it an id of its own`,
  );
};

const requireCanary = ({ canary }: PolicyState): void => {
  if (canary === null) throw usageError('no canary runs: see ./switchyard policy show');
};
