import { loadPolicyFile } from '../config/policy-file.ts';
import { ConfigError } from '../config/config-error.ts';
import { candidateReplay, type CandidateDecision, type Undecided } from '../replay/again/candidate-replay.ts';
import type { PolicySpec } from '../events/index.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { jsonLinesInto } from './json-lines-file.ts';
import { locateYard } from './locate.ts';
import { grouped, milliseconds, percent } from './numbers.ts';
import { withBus } from './open-bus.ts';
import { briefly, noDecisions, withPeriod } from './replay-period.ts';
import type { ReplayOptions } from './replay.ts';
import { placeInWords, type ReplayReport } from './show-replay.ts';
import { writeTable } from './table.ts';
import { excerpt, type Terminal } from './terminal.ts';

export type CandidateFlags = {
  readonly policy?: string;
  readonly learn: 'logged' | 'matched';
  readonly fromScratch?: true;
  readonly seed: string;
  readonly acceptance?: number;
};

/** What another policy made of a period: what `--json` gives. Its decisions, one by one, are in `out`. */
type CandidateReport = Pick<ReplayReport, 'period' | 'tenant' | 'state' | 'tookMs'> & {
  readonly policy: { readonly file: string; readonly id: string; readonly kind: PolicySpec['kind'] };
  readonly learn: 'logged' | 'matched';
  readonly fromScratch: boolean;
  readonly seed: string;
  readonly acceptance: number | null;
  readonly decisions: number;
  /** By reason; these have no probabilities. */
  readonly undecided: Readonly<Record<Undecided, number>>;
  /** Decisions that cannot be understood. */
  readonly unreadable: number;
  /** Of the decisions: its draw picks the logged arm; it learns from what came of it; that happened too seldom. */
  readonly matched: number;
  readonly learned: number;
  readonly capped: number;
  readonly unassigned: number;
  /** Mean probability of arms that the log could not have drawn there. */
  readonly unsupported: number;
  /** Share of the logged decisions, and the candidate's mean probability. */
  readonly arms: readonly { readonly arm: string; readonly logged: number; readonly candidate: number }[];
  readonly out: string | null;
};

export const replayCandidate = async (terminal: Terminal, options: ReplayOptions & { readonly policy: string }): Promise<void> => {
  const { policy: file, learn, seed, acceptance = null, fromScratch = false } = options;
  const located = locateYard(options);
  const startedAtMs = performance.now();
  const parts = {
    located,
    signal: terminal.interrupted(),
    note: terminal.note,
    what: 'deciding',
    prefer: 'rows',
    read: briefly,
  } as const;
  const report = await withBus(located, (bus) =>
    withPeriod(bus, options, parts, async (period): Promise<CandidateReport> => {
      const { base, from, to, tenant } = period;
      const specs: PolicySpec[] = [];
      const specFor = (arms: readonly string[]): PolicySpec => {
        const spec = specOver(file, arms);
        specs[0] = spec;
        return spec;
      };
      // Before anything long begins, where the arms are known already.
      if (base.snapshot.policy !== null) specFor(base.snapshot.policy.arms.map(({ arm }) => arm));
      const replay = candidateReplay({ ...period, specFor, learn, fromScratch, seed, acceptance });
      const counts = candidateCounts();
      await jsonLinesInto(options, async (write) => {
        for await (const decision of replay.decisions) {
          counts.add(decision);
          await write(decision);
        }
      });
      const { first, last, ...counted } = counts.counted();
      if (counted.decisions === 0) throw noDecisions(period, located);
      const used =
        specs[0] ??
        specOver(
          file,
          located.settings.config.arms.map(({ id }) => id),
        );
      return {
        period: { from, to, firstDecidedAt: timeOf(first), lastDecidedAt: timeOf(last) },
        tenant,
        state: { sequence: base.snapshot.sequence, from: base.from, missing: base.missing },
        policy: { file, id: used.id, kind: used.kind },
        learn,
        fromScratch,
        seed,
        acceptance,
        ...counted,
        ...replay.leftOut(),
        out: options.out ?? null,
        tookMs: performance.now() - startedAtMs,
      };
    }),
  );
  for (const warning of warningsOf(report)) terminal.note(terminal.noteStyle('yellow', warning));
  await (options.json === true ? terminal.json(report) : show(terminal, report));
  terminal.done();
  if (undecidedIn(report) === report.decisions) process.exitCode = exitCodes.failed;
};

const timeOf = (one: CandidateDecision | null): string | null => (one === null ? null : new Date(one.atMs).toISOString());

const specOver = (file: string, arms: readonly string[]): PolicySpec => {
  try {
    return loadPolicyFile(file, arms);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(
      exitCodes.usage,
      `${error.message}\nThe arms of the period are ${arms.slice(0, 20).join(', ')}; of any other the log says nothing.`,
      { cause: error },
    );
  }
};

const candidateCounts = () => {
  const undecided: Record<Undecided, number> = { 'no-policy': 0, 'no-candidate': 0, 'unknown-model': 0, 'out-of-reach': 0 };
  const totals = { decisions: 0, matched: 0, learned: 0, capped: 0 };
  const arms = new Map<string, { logged: number; candidate: number }>();
  let unsupported = 0;
  let first: CandidateDecision | null = null;
  let last: CandidateDecision | null = null;
  const countsOf = (arm: string) => {
    const counts = arms.get(arm) ?? { logged: 0, candidate: 0 };
    arms.set(arm, counts);
    return counts;
  };
  return {
    add: (decision: CandidateDecision) => {
      first ??= decision;
      last = decision;
      totals.decisions++;
      if (decision.undecided !== null) undecided[decision.undecided]++;
      if (decision.matched) totals.matched++;
      // Before the log names a policy there is no candidate that could learn.
      if (decision.learns && decision.undecided !== 'no-policy') totals.learned++;
      if (decision.learns && decision.capped) totals.capped++;
      unsupported += decision.unsupported;
      countsOf(decision.loggedArm).logged++;
      decision.arms.forEach((arm, i) => (countsOf(arm).candidate += decision.propensities[i] ?? 0));
    },
    counted: () => ({
      first,
      last,
      ...totals,
      undecided,
      unsupported: unsupported / totals.decisions,
      arms: [...arms]
        .map(([arm, { logged, candidate }]) => ({ arm, logged: logged / totals.decisions, candidate: candidate / totals.decisions }))
        .sort((a, b) => b.candidate - a.candidate),
    }),
  };
};

const undecidedIn = ({ undecided }: CandidateReport): number => Object.values(undecided).reduce((sum, count) => sum + count, 0);

const warningsOf = (report: CandidateReport): readonly string[] => {
  const { decisions, learn, learned, capped, unassigned, unreadable, unsupported, undecided } = report;
  const notDecided = undecidedIn(report);
  return [
    ...(unsupported > 0
      ? [
          `${percent(unsupported)} of its probability lies on arms that the log could not have drawn there: of what these would have brought the log says nothing`,
        ]
      : []),
    ...(notDecided > 0
      ? [
          `${grouped(notDecided)} decisions it did not make (${Object.entries(undecided)
            .filter(([, count]) => count > 0)
            .map(([reason, count]) => `${reason} ${grouped(count)}`)
            .join(', ')}): they have no probabilities`,
        ]
      : []),
    ...(undecided['no-policy'] > 0
      ? [
          `what is read of the log names no policy before ${grouped(undecided['no-policy'])} decisions, and so no arms: begin after a policy was activated, and leave out --log-alone where ClickHouse remembers more`,
        ]
      : []),
    ...(unreadable > 0 ? [`${grouped(unreadable)} decisions cannot be understood and are left out`] : []),
    ...(learn === 'matched' && learned * 20 < decisions && notDecided < decisions
      ? [
          `it learned from ${grouped(learned)} of ${grouped(decisions)} records: as it would have after that many requests, not after all of them`,
        ]
      : []),
    ...(capped > 0
      ? [`${grouped(capped)} records that it learned from were accepted too seldom: --acceptance lies above their logged probability`]
      : []),
    ...(unassigned > 0 ? [`${grouped(unassigned)} late revisions of rewards could not be assigned: their decisions lie too far back`] : []),
  ];
};

const show = async (terminal: Terminal, report: CandidateReport): Promise<void> => {
  const { policy, decisions, matched, learned, learn, fromScratch, arms, out, tookMs } = report;
  await terminal.line(placeInWords(report));
  await terminal.line(
    `${policy.id} (${policy.kind}) of ${excerpt(policy.file, 200)}, learning from ${learn === 'logged' ? 'every logged reward' : 'the records that its own draw agrees with'}, beginning with ${fromScratch ? 'no evidence' : 'the evidence of the yard'}`,
  );
  if (undecidedIn(report) === decisions) {
    await terminal.line(terminal.style('red', `it could make none of the ${grouped(decisions)} decisions (${milliseconds(tookMs)})`));
    return;
  }
  await terminal.line(
    `${grouped(decisions)} decisions, its draw picks the logged arm in ${grouped(matched)}; it learned from ${grouped(learned)} (${milliseconds(tookMs)})\n`,
  );
  await writeTable(
    terminal,
    [{ title: 'arm' }, { title: 'share in the log', align: 'right' }, { title: 'mean probability of the candidate', align: 'right' }],
    arms.map(({ arm, logged, candidate }) => [arm, percent(logged), percent(candidate)]),
  );
  await terminal.line(
    out === null
      ? '\nThis says what it would choose, not what that would have brought; --out writes the decisions one by one.'
      : `\nThis says what it would choose, not what that would have brought. Its decisions, one by one: ${excerpt(out, 200)}`,
  );
};
