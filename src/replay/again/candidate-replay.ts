import { inputOf } from '../../domain/routing/recompute.ts';
import { named } from '../../domain/routing/policy-version.ts';
import { decideRoute, type DecidingPolicy } from '../../domain/routing/router.ts';
import { stateOf } from '../../domain/routing/snapshot.ts';
import { ruleOf, type RouterState } from '../../domain/routing/state.ts';
import type { DataOf, PolicySpec } from '../../events/index.ts';
import type { BriefEvent, BriefMessage } from './brief.ts';
import type { PeriodOptions } from './decide-again.ts';
import { createKnowledge } from './knowledge.ts';
import { createMatching, drawnArm, type Matching } from './matching.ts';
import { walkDecisions, type PlacedDecision } from './walk.ts';

type Placed = PlacedDecision<BriefEvent>;

/**
 * Lets another policy decide on the requests of a past period, learning as it would have from what may honestly be used, in one of two ways:
 *
 * - `logged`: from every logged reward, as an observer beside the yard. It has the evidence that the yard had, whoever chose the arms; what it would have learned by its own choices it does not learn.
 * - `matched`: from those records alone that its own draw agrees with and rejection sampling accepts (matching.ts), as if it had decided itself, with that many fewer records.
 *
 * It begins with the evidence that the yard had at the begin of the period, or with none. Arms are those of the policy in force at each moment; prices of money and time, budgets, weights, conversations and
 * the arm that answered before in them are those of the log. A canary of the log is no part of it: the candidate decides every request.
 */
export type CandidateOptions = PeriodOptions<BriefMessage> & {
  /** The policy over the arms that were in force. Asked again when they change; may throw where it does not fit to them. */
  readonly specFor: (arms: readonly string[]) => PolicySpec;
  readonly learn: 'logged' | 'matched';
  readonly fromScratch: boolean;
  readonly seed: string;
  /** The constant c of matching.ts; null: the least logged probability so far. */
  readonly acceptance: number | null;
  /** Weights of the parts of the reward in place of those of the log. */
  readonly weights?: DataOf<'route.decided'>['weights'] | undefined;
};

/** A logged decision, and what the candidate makes of the same request. */
export type CandidateDecision = {
  readonly sequence: number;
  /** Of the event `route.decided`. */
  readonly id: string;
  readonly tenant: string;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly featuresVersion: number;
  readonly loggedPolicy: string;
  readonly loggedArm: string;
  readonly loggedPropensity: number;
  /** The candidate's arms that could be drawn, and their probabilities in the same order; both empty when `undecided` says why. */
  readonly arms: readonly string[];
  readonly propensities: readonly number[];
  readonly undecided: Undecided | null;
  /** Uniform in [0, 1), from the seed and the id, and the arm that it picks. */
  readonly draw: number;
  readonly arm: string | null;
  /** Whether that is the logged arm. */
  readonly matched: boolean;
  /** Whether the candidate learns from what came of it. */
  readonly learns: boolean;
  /** It was accepted too seldom, see matching.ts. */
  readonly capped: boolean;
  /** The candidate's probability of arms that the log gave none here: of what they would have brought it says nothing. */
  readonly unsupported: number;
};

/** no-policy: the log names none yet, so no arms. no-candidate: no arm can take the request. unknown-model: it names none that there is. out-of-reach: its state is not kept, or not one of before it. */
export type Undecided = 'no-policy' | 'no-candidate' | 'unknown-model' | 'out-of-reach';

export type CandidateReplay = {
  /** In the order of the log. To be read once. */
  readonly decisions: AsyncIterable<CandidateDecision>;
  /** Decisions of the period that could not be understood, so far; and revisions that the candidate could not assign, see knowledge.ts. */
  readonly leftOut: () => { readonly unreadable: number; readonly unassigned: number };
};

export const candidateReplay = (options: CandidateOptions): CandidateReplay => {
  const { messages, base, from, to, tenant, lagMessages, learn, fromScratch, seed, acceptance } = options;
  const knowledge =
    learn === 'logged' && !fromScratch
      ? null
      : createKnowledge({ snapshot: fromScratch ? null : base.snapshot, from, fromOthers: learn === 'logged' });
  const matching = createMatching({ seed, acceptance });
  const policyFor = candidatePolicy(options.specFor);
  let unreadable = 0;

  const judge = (placed: Placed, logged: RouterState): CandidateDecision => {
    const policy = policyFor(logged);
    const decision = policy === null ? 'no-policy' : decide(placed, policy, knowledge?.over(logged) ?? logged, options.weights);
    const made = madeOf(placed, decision, matching, learn);
    knowledge?.mayLearnFrom(placed.event, made.learns);
    return made;
  };

  async function* decisions(): AsyncGenerator<CandidateDecision, void, undefined> {
    const met = walkDecisions({
      messages,
      state: stateOf(base.snapshot),
      missing: base.missing,
      wants: ({ sequence, event }) => sequence >= from && sequence <= to && (tenant === null || event.tenant === tenant),
      judge,
      ...(knowledge === null ? {} : { onFold: knowledge.fold }),
      ...(lagMessages === undefined ? {} : { lagMessages }),
    });
    for await (const one of met)
      if (one.kind === 'judged') yield one.verdict;
      else if (one.kind !== 'unreadable') yield madeOf(one.decision, 'out-of-reach', matching, learn);
      else if (isOfPeriod(one, options)) unreadable++;
  }

  return { decisions: decisions(), leftOut: () => ({ unreadable, unassigned: knowledge?.unassigned() ?? 0 }) };
};

const isOfPeriod = (
  {
    sequence,
    unreadable,
  }: { readonly sequence: number; readonly unreadable: { readonly type: string | null; readonly tenant: string | null } },
  { from, to, tenant }: CandidateOptions,
): boolean =>
  unreadable.type === 'route.decided' && sequence >= from && sequence <= to && (tenant === null || unreadable.tenant === tenant);

/** Over the arms of the policy in force: made anew when these change. */
const candidatePolicy = (specFor: CandidateOptions['specFor']): ((state: RouterState) => DecidingPolicy | null) => {
  let known: { readonly of: DataOf<'policy.activated'>; readonly policy: DecidingPolicy } | null = null;
  return ({ policy: inForce }) => {
    if (inForce === null) return null;
    if (known?.of !== inForce.event) {
      const { arms, weights } = inForce.event;
      const content = named({ spec: specFor(arms.map(({ arm }) => arm)), weights, arms });
      known = { of: inForce.event, policy: { content, rule: ruleOf(content), canary: false, trial: null } };
    }
    return known.policy;
  };
};

type Probabilities = Pick<CandidateDecision, 'arms' | 'propensities'>;

const decide = (
  { event }: Placed,
  policy: DecidingPolicy,
  state: RouterState,
  weights: CandidateOptions['weights'],
): Probabilities | Undecided => {
  const input = inputOf(event.data, event.tenant);
  const decision = decideRoute(weights === undefined ? input : { ...input, weights }, policy, state);
  if (decision.kind !== 'chosen') return decision.kind;
  const { candidates } = decision.choice;
  return { arms: candidates.map(({ arm }) => arm), propensities: candidates.map(({ propensity }) => propensity) };
};

const madeOf = (
  { sequence, event }: Placed,
  decision: Probabilities | Undecided,
  matching: Matching,
  learn: CandidateOptions['learn'],
): CandidateDecision => {
  const { data, id, tenant, correlationid, time } = event;
  const draw = matching.drawOf(id);
  const isDecided = typeof decision === 'object';
  const { arms, propensities } = isDecided ? decision : nothing;
  const share = propensities[arms.indexOf(data.arm)] ?? 0;
  const { matched, accepted, capped } = matching.match({
    draw,
    share,
    propensity: data.propensity,
    probabilities: data.candidates.map(({ propensity }) => propensity),
  });
  return {
    sequence,
    id,
    tenant,
    requestId: correlationid,
    atMs: Date.parse(data.decidedAt ?? time),
    featuresVersion: data.features.version,
    loggedPolicy: `${data.policy.id} ${data.policy.version}`,
    loggedArm: data.arm,
    loggedPropensity: data.propensity,
    arms,
    propensities,
    undecided: isDecided ? null : decision,
    draw,
    arm: drawnArm(arms, propensities, data.arm, draw),
    matched,
    learns: learn === 'logged' || accepted,
    capped,
    unsupported: unsupportedIn(arms, propensities, data.candidates),
  };
};

const nothing: Probabilities = { arms: [], propensities: [] };

const unsupportedIn = (arms: readonly string[], propensities: readonly number[], logged: Placed['event']['data']['candidates']): number => {
  let sum = 0;
  for (const [i, arm] of arms.entries())
    if (!logged.some((candidate) => candidate.arm === arm && candidate.propensity > 0)) sum += propensities[i] ?? 0;
  return sum;
};
