import { Option } from 'commander';
import { decideAgain, replayTally, type DecidedAgain } from '../replay/again/decide-again.ts';
import { configOption, jsonOption, natsUrlOption, number, sqlUrlOption, wholeNumber, withExamples, type AddCommand } from './command.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { jsonLinesInto } from './json-lines-file.ts';
import { locateYard, type AddressOptions } from './locate.ts';
import { withBus } from './open-bus.ts';
import { fromOption, requireOrder, toOption } from './period.ts';
import { replayCandidate, type CandidateFlags } from './replay-candidate.ts';
import { noDecisions, whole, withPeriod, type OpenPeriodOptions } from './replay-period.ts';
import { refuseInput } from './require-file.ts';
import { showReplay, type ReplayReport } from './show-replay.ts';
import type { Terminal } from './terminal.ts';

export type ReplayOptions = AddressOptions &
  OpenPeriodOptions &
  CandidateFlags & { readonly out?: string; readonly force?: true; readonly limit: number };

export const addReplay: AddCommand = (program, terminal) => {
  const command = program
    .command('replay')
    .summary('decide a past period again, or let another policy decide on it')
    .description(
      'Decides each request of a period again from the log: on the state that the decision names, with the draw that it names. Exit code 1 when one comes out differently or cannot be made again; each with its reason. With --policy another policy decides on the same requests. docs/replay.md says how to read both.',
    )
    .addOption(fromOption())
    .addOption(toOption())
    .option('-t, --tenant <name>', 'of one tenant (default: all)')
    .addOption(
      new Option('--limit <count>', 'decisions to show that did not come out the same').argParser(wholeNumber(0, 10_000)).default(20),
    )
    .option('--policy <file>', 'the policy that decides instead, as for `policy activate`')
    .addOption(
      new Option(
        '--learn <from>',
        'with --policy: it learns from every logged reward, or from those alone whose arm its own draw agrees with',
      )
        .choices(['logged', 'matched'])
        .default('logged'),
    )
    .option('--from-scratch', 'with --policy: it begins without the evidence that the yard had then')
    .option('--seed <text>', 'with --policy: of its draws', '1')
    .addOption(
      new Option(
        '--acceptance <probability>',
        'with --learn matched: the constant of rejection sampling (default: the least logged probability so far)',
      ).argParser(number(0, 1, { above: true })),
    )
    .option('--out <file>', 'a line of JSON for each decision that came out differently, or with --policy for each decision')
    .option('--force', 'with --out: replace the file when it is there')
    .option('--log-alone', 'leave ClickHouse out')
    .addOption(jsonOption('one object'))
    .addOption(natsUrlOption())
    .addOption(sqlUrlOption())
    .addOption(configOption())
    .action((options: ReplayOptions) => replay(terminal, options));
  withExamples(command, [
    ['./switchyard replay --from 1d', 'does every decision of the last day come out the same?'],
    ['./switchyard replay --from 4711 --to 9000 --json | jq .byReason', 'a range, for programs'],
    ['./switchyard replay --from 7d --policy greedy.yaml --out greedy.jsonl', 'what another policy would have done'],
    ['./switchyard replay --from 7d --policy greedy.yaml --learn matched', 'learning from its own choices alone'],
  ]);
};

const replay = async (terminal: Terminal, options: ReplayOptions): Promise<void> => {
  requireTogether(options);
  requireOrder(options);
  refuseInput('--out', options.out, [options.policy, options.config]);
  if (options.policy !== undefined) return replayCandidate(terminal, { ...options, policy: options.policy });
  const located = locateYard(options);
  const signal = terminal.interrupted();
  const startedAtMs = performance.now();
  const parts = { located, signal, note: terminal.note, what: 'deciding again', prefer: 'log', read: whole } as const;
  const report = await withBus(located, (bus) =>
    withPeriod(bus, options, parts, async (period): Promise<ReplayReport> => {
      const { base, from, to, tenant } = period;
      const { add, tally } = replayTally(options.limit);
      let first: DecidedAgain | null = null;
      let last: DecidedAgain | null = null;
      await jsonLinesInto(options, async (write) => {
        for await (const one of decideAgain(period)) {
          first ??= one;
          last = one;
          add(one);
          if (one.kind !== 'equal') await write(one);
        }
      });
      const counted = tally();
      if (counted.decisions === 0) throw noDecisions(period, located);
      return {
        period: { from, to, firstDecidedAt: timeOf(first), lastDecidedAt: timeOf(last) },
        tenant,
        state: { sequence: base.snapshot.sequence, from: base.from, missing: base.missing },
        ...counted,
        tookMs: performance.now() - startedAtMs,
      };
    }),
  );
  await (options.json === true ? terminal.json(report) : showReplay(terminal, report));
  terminal.done();
  if (report.equal < report.decisions) process.exitCode = exitCodes.failed;
};

const timeOf = (one: DecidedAgain | null): string | null => (one === null ? null : new Date(one.storedAtMs).toISOString());

const requireTogether = ({ policy, fromScratch, acceptance, learn, out, force }: ReplayOptions): void => {
  if (policy === undefined && (fromScratch === true || acceptance !== undefined || learn !== 'logged'))
    throw usageError(
      `${fromScratch === true ? '--from-scratch' : acceptance === undefined ? '--learn' : '--acceptance'}: expected together with --policy`,
    );
  if (acceptance !== undefined && learn !== 'matched') throw usageError('--acceptance: expected together with --learn matched');
  if (force === true && out === undefined) throw usageError('--force: expected together with --out');
};
