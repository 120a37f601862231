import { z } from 'zod';

/**
 * Types and ranges of the parameters of OpenAI's chat completions that say how an answer is made, as its reference has them
 * (https://platform.openai.com/docs/api-reference/chat/create). They are looked at and reach the provider as they came; null is the same as absent there, and so here. Parameters that are not
 * named here are not looked at.
 */
const numberFrom = (least: number, most: number) => {
  const expected = `expected a number from ${least} to ${most}`;
  return z.number(expected).min(least, expected).max(most, expected).nullish();
};

/** JSON has whole numbers beyond those that a double counts one by one: 1e300 is one. 1e400 is none, but infinite. */
const wholeNumber = (expected: string, least = -Infinity, most = Infinity) =>
  z
    .number(expected)
    .refine((value) => Number.isInteger(value) && value >= least && value <= most, expected)
    .nullish();

const yesOrNo = z.boolean('expected true or false').nullish();

const tokens = wholeNumber('expected a whole number of at least 1', 1);

const stopForm = 'expected text, or a list of at most 4 texts';
const biasForm = 'expected an object of token numbers, each with a number from -100 to 100';

export const parameterShape = {
  max_tokens: tokens,
  max_completion_tokens: tokens,
  temperature: numberFrom(0, 2),
  top_p: numberFrom(0, 1),
  presence_penalty: numberFrom(-2, 2),
  frequency_penalty: numberFrom(-2, 2),
  seed: wholeNumber('expected a whole number'),
  stop: z.union([z.string(), z.array(z.string()).max(4)], { error: stopForm }).nullish(),
  logit_bias: z.record(z.string(), z.number(biasForm).min(-100, biasForm).max(100, biasForm), biasForm).nullish(),
  logprobs: yesOrNo,
  top_logprobs: wholeNumber('expected a whole number from 0 to 20', 0, 20),
  parallel_tool_calls: yesOrNo,
  store: yesOrNo,
};
