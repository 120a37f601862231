import { costNanoUsd, type Price } from '../price.ts';

/**
 * The most that a call can be expected to cost, for reserving it. A prompt counts twice its estimate, which is more than any text in use comes to, and 8 tokens for the frame of
 * each message; an answer counts what the caller allows, else what the configuration does. It is no proof: a provider may bill tokens that nobody sees. What goes beyond
 * is an overrun, and is paid from the next blocks.
 */
export const worstCase = (
  call: {
    readonly promptTokensEstimate: number;
    readonly messageCount: number;
    /** 0 when the caller gave no limit. */
    readonly maxOutputTokens: number;
  },
  model: { readonly price: Price; /** Of providers that know it. */ readonly dearestAnswerNanoUsd: number | undefined },
  answerTokens: number,
): { readonly answerTokens: number; readonly nanoUsd: number } => {
  const most = call.maxOutputTokens > 0 ? Math.min(call.maxOutputTokens, mostTokens) : answerTokens;
  const usage = { promptTokens: 2 * call.promptTokensEstimate + messageTokens * call.messageCount, completionTokens: most };
  return { answerTokens: most, nanoUsd: Math.max(costNanoUsd(usage, model.price), model.dearestAnswerNanoUsd ?? 0) };
};

const messageTokens = 8;
/** A caller may write 1e300: such a call is covered by no budget, and its price must stay a whole number. */
const mostTokens = 1_000_000_000;
