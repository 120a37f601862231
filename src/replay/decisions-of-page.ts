import { cellsFor } from '../domain/routing/filing.ts';
import { weigh, type RewardParts, type RewardWeights } from '../domain/reward/reward.ts';
import { InvariantError, PermanentError } from '../errors.ts';
import type { RecordedFeatures, Tenant } from '../events/index.ts';
import type { RequestFeatures } from '../events/schemas/route.ts';
import type { Row } from '../projections/clickhouse.ts';
import type { pageColumns } from './decisions-sql.ts';
import { contradicts, type LoggedDecision, type Outcome } from './logged-decision.ts';

/**
 * A page of columns to decisions. The rows were checked when they were events; here only what an estimate would silently be wrong by is looked at: propensities. Lists and texts that come again
 * and again are made once for each page. Null: a reward was weighed otherwise than its decision says, and the page does not hold the weights of rewards.
 */
export const decisionsOfPage = (row: Row | undefined): readonly LoggedDecision[] | null => {
  const page = columnsOf(row);
  if (page.sequence.some((_, i) => !hasWeights(page, i))) return null;
  const shared = { arms: interning(listOf), broken: interning(listOf), needs: interning(listOf) };
  return page.sequence.map((sequence, i) => {
    if (i > 0 && sequence < at(page.sequence, i - 1)) throw new InvariantError('a page of decisions came out of the order of the log');
    return decisionAt(page, i, shared);
  });
};

const hasWeights = (page: Page, i: number): boolean =>
  at(page.revisions, i) === 0 ||
  at(page.rewardWeights, i).length > 0 ||
  weigh(microAt(page, i), weightsOf(at(page.weights, i))) === at(page.rewardMicro, i);

const microAt = (page: Page, i: number): RewardParts => ({
  success: at(page.success, i),
  streaming: at(page.streaming, i),
  cache: at(page.cache, i),
  cost: at(page.cost, i),
});

type Columns = Readonly<Record<keyof typeof pageColumns, readonly unknown[]>>;

/** Types follow from the expressions of `pageColumns`. */
type Page = {
  readonly [Name in keyof Columns]: readonly (Name extends TextColumn ? string : Name extends ListColumn ? readonly number[] : number)[];
};
type TextColumn =
  | 'tenant'
  | 'requestId'
  | 'conversation'
  | 'previousArm'
  | 'policy'
  | 'arm'
  | 'arms'
  | 'brokenArms'
  | 'requestedModel'
  | 'needs'
  | 'language'
  | 'kind'
  | 'requestedFormat';
type ListColumn = 'propensities' | 'weights' | 'rewardWeights';

const columnsOf = (row: Row | undefined): Page => {
  const columns = Object.fromEntries(Object.entries(row ?? {}).map(([name, values]) => [name.slice(prefixLength), values]));
  return columns as unknown as Page;
};
/** Columns are named `c_<name>`, so that no alias hides a column of the table. */
const prefixLength = 2;

type Shared = Readonly<Record<'arms' | 'broken' | 'needs', (text: string) => readonly string[]>>;

const decisionAt = (page: Page, i: number, shared: Shared): LoggedDecision => {
  const tenant = at(page.tenant, i);
  const id = `${tenant}/${at(page.requestId, i)}`;
  const sequence = at(page.sequence, i);
  const arm = at(page.arm, i);
  const arms = shared.arms(at(page.arms, i));
  const propensities = at(page.propensities, i);
  const propensity = propensityOf(at(page.propensity, i), sequence);
  if (arms.length === 0 || arms.length !== propensities.length || !arms.includes(arm))
    throw new PermanentError(
      'no_propensities',
      `decision at sequence ${sequence}: expected the chosen arm "${arm}" among candidates with a propensity each, got ${arms.length} candidates and ${propensities.length} propensities`,
    );
  const listed = propensities[arms.indexOf(arm)] ?? 0;
  if (contradicts(propensity, listed))
    throw new PermanentError(
      'data-invalid',
      `decision at sequence ${sequence}: expected one probability of the chosen arm "${arm}", got the propensity ${propensity} and ${listed} among its candidates; ./switchyard replay finds what was changed`,
    );
  const features = featuresAt(page, i, tenant as Tenant);
  const decidedAtMs = at(page.decidedAtMs, i);
  const conversation = at(page.conversation, i);
  return {
    id,
    atMs: at(page.atMs, i),
    tenant,
    cluster: conversation === '' ? id : conversation,
    policy: at(page.policy, i),
    arm,
    propensity,
    candidates: { arms, propensities },
    cells: cellsFor(features),
    context: {
      kind: 'request',
      input: {
        tenant: tenant as Tenant,
        requestedModel: at(page.requestedModel, i),
        features,
        maxOutputTokens: at(page.maxOutputTokens, i),
        needs: shared.needs(at(page.needs, i)) as ('tools' | 'json' | 'images')[],
        weights: weightsOf(at(page.weights, i)),
        budget: { usdPerRequest: orNull(at(page.usdPerRequest, i)), latencyTargetMs: orNull(at(page.latencyTargetMs, i)) },
        conversation:
          conversation === '' ? null : { id: conversation, previousArm: at(page.previousArm, i) === '' ? null : at(page.previousArm, i) },
        decidedAtMs: decidedAtMs < 0 ? null : decidedAtMs,
      },
      draw: at(page.draw, i),
      stateSequence: at(page.stateSequence, i),
      moment: {
        brokenArms: shared.broken(at(page.brokenArms, i)),
        rewardPerUsd: at(page.rewardPerUsd, i),
        rewardPerSecond: at(page.rewardPerSecond, i),
      },
    },
    outcome: at(page.revisions, i) === 0 || at(page.interrupted, i) === 1 ? null : outcomeAt(page, i),
  };
};

const million = 1_000_000;

/** An estimate divides by it. */
const propensityOf = (propensity: number, sequence: number): number => {
  if (propensity > 0 && propensity <= 1) return propensity;
  throw new PermanentError(
    'bad_propensity',
    `decision at sequence ${sequence}: expected the propensity of the chosen arm above 0 and at most 1, got ${propensity}; what was never recorded cannot be evaluated`,
  );
};

const outcomeAt = (page: Page, i: number): Outcome => {
  const isMeasured = at(page.measured, i) === 1;
  const { success, streaming, cache, cost } = microAt(page, i);
  const recorded = at(page.rewardWeights, i);
  return {
    parts: { success: success / million, streaming: streaming / million, cache: cache / million, cost: cost / million },
    weights: weightsOf(recorded.length > 0 ? recorded : at(page.weights, i)),
    failed: at(page.failed, i) === 1,
    costUsd: isMeasured ? at(page.costNanoUsd, i) / 1e9 : null,
    latencyMs: isMeasured ? at(page.latencyMs, i) : null,
    tokens: isMeasured ? { prompt: at(page.promptTokens, i), completion: at(page.completionTokens, i) } : null,
  };
};

const weightsOf = ([success = 0, streaming = 0, cache = 0, cost = 0]: readonly number[]): RewardWeights => ({
  success,
  streaming,
  cache,
  cost,
});

const featuresAt = (page: Page, i: number, tenant: Tenant): RecordedFeatures => {
  const common = {
    promptCharacters: at(page.promptCharacters, i),
    promptTokensEstimate: at(page.promptTokensEstimate, i),
    messageCount: at(page.messageCount, i),
    lastMessageCharacters: at(page.lastMessageCharacters, i),
    hasCode: at(page.hasCode, i) === 1,
    hasMathematics: at(page.hasMathematics, i) === 1,
    isQuestion: at(page.isQuestion, i) === 1,
  };
  if (at(page.featuresVersion, i) === 1) return { version: 1, ...common };
  return {
    version: 2,
    tenant,
    ...common,
    conversationDepth: at(page.conversationDepth, i),
    hasSystemPrompt: at(page.hasSystemPrompt, i) === 1,
    language: at(page.language, i) as RequestFeatures['language'],
    kind: at(page.kind, i) as RequestFeatures['kind'],
    complexity: at(page.complexity, i),
    requestedTokens: at(page.requestedTokens, i),
    requestedFormat: at(page.requestedFormat, i) as RequestFeatures['requestedFormat'],
    opening: at(page.opening, i),
    ending: at(page.ending, i),
    system: at(page.system, i) < 0 ? null : at(page.system, i),
  };
};

/** 0 stands for none. */
const orNull = (value: number): number | null => (value === 0 ? null : value);

const listOf = (text: string): readonly string[] => (text === '' ? [] : text.split(' '));

const interning = <Made>(make: (text: string) => Made): ((text: string) => Made) => {
  const known = new Map<string, Made>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    known.set(text, made);
    return made;
  };
};

const at = <Value>(column: readonly Value[], i: number): Value => {
  const value = column[i];
  if (value === undefined) throw new InvariantError(`a page of decisions has a column that ends before row ${i}`);
  return value;
};
