import { openDrawn, type Drawn } from '../replay/evaluation/drawn.ts';
import { openOrder } from '../replay/evaluation/order.ts';
import type { LoggedDecision } from '../replay/logged/logged-decision.ts';
import { partsMissing } from '../replay/logged/reward-of.ts';
import { requireKnownPrices, type EvaluateOptions } from './evaluate.ts';
import { usageError } from './exit-codes.ts';
import { excerpt, nameInWords } from './terminal.ts';

/** What is in a file of logged decisions, seen in a first pass over it. */
export type Survey = {
  readonly records: number;
  readonly arms: readonly string[];
  readonly drawn: Drawn;
  /** Whether each record says what else could have been chosen. */
  readonly namesCandidates: boolean;
  readonly kind: LoggedDecision['context']['kind'];
  readonly firstAtMs: number;
  readonly leastPropensity: number;
  readonly isInOrder: boolean;
  /** From 0 on, up to so many of them. */
  readonly slots: ReadonlySet<number>;
  /** Parts of the reward asked for that some record does not have. */
  readonly unmeasured: ReadonlySet<string>;
  /** Whether tokens were counted in any record. */
  readonly hasTokens: boolean;
};

const mostArms = 65_536;
const mostSlots = 65_536;

export const surveyOf = async (
  batches: AsyncIterable<readonly LoggedDecision[]>,
  file: string,
  { tenant, reward }: EvaluateOptions,
): Promise<Survey> => {
  const arms = new Set<string>();
  const drawn = openDrawn();
  const order = openOrder();
  let namesCandidates = true;
  let records = 0;
  let first: LoggedDecision | null = null;
  let leastPropensity = 1;
  const slots = new Set<number>();
  const unmeasured = new Set<string>();
  let hasTokens = false;
  for await (const batch of batches)
    for (const decision of batch) {
      first ??= decision;
      if (decision.context.kind !== first.context.kind)
        throw usageError(
          `${file}: expected records of one kind, the first is a ${first.context.kind}; got a ${decision.context.kind}, ${excerpt(decision.id, 64)}`,
        );
      records++;
      order.add(decision);
      leastPropensity = Math.min(leastPropensity, decision.propensity);
      if (decision.context.kind === 'slot' && slots.size < mostSlots) slots.add(decision.context.slot);
      if (decision.outcome !== null)
        for (const part of partsMissing(decision.outcome.parts, reward ?? decision.outcome.weights)) unmeasured.add(part);
      hasTokens ||= (decision.outcome?.tokens ?? null) !== null;
      drawn.add(decision);
      namesCandidates &&= decision.candidates !== null;
      for (const arm of decision.candidates?.arms ?? [decision.arm]) arms.add(arm);
      if (arms.size > mostArms) throw usageError(`${file}: expected at most ${mostArms} arms, got more`);
    }
  if (first === null)
    throw usageError(
      `${file}: expected decisions in the period${tenant === undefined ? '' : ` of the tenant "${nameInWords(tenant)}"`}, got none`,
    );
  return {
    records,
    arms: [...arms],
    drawn,
    namesCandidates,
    kind: first.context.kind,
    firstAtMs: first.atMs,
    leastPropensity,
    isInOrder: order.isKept(),
    slots,
    unmeasured,
    hasTokens,
  };
};

/** What a price is asked of must be there, and tokens for it to count. */
export const requirePrices = ({ price }: EvaluateOptions, arms: readonly string[], { hasTokens }: Survey): void => {
  if (price === undefined) return;
  requireKnownPrices(price, arms);
  if (!hasTokens)
    throw usageError('--price, --prices: expected records with tokens, from which a cost under another price follows; got none');
};

/** What weighs nothing here cannot be asked about. */
export const requireMeasured = ({ reward }: EvaluateOptions, { unmeasured }: Survey): void => {
  if (unmeasured.size > 0)
    throw usageError(
      `${reward === undefined ? 'the weights of the file' : '--reward'}: expected weights of what was measured in every record; got one for ${[...unmeasured].join(', ')}, which some have as null`,
    );
};
