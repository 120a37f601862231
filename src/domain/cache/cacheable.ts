/**
 * An answer may be given again when it is complete, that is, it ended by itself and not at a limit or a filter, and when its caller did not forbid it. A call of tools is a
 * complete answer: what it is an answer to, tools included, is all in the question.
 */
export const cacheable = (answer: {
  readonly enabled: boolean;
  readonly caching: 'use' | 'refresh' | 'no-store';
  readonly finishReason: string;
}): boolean => answer.enabled && answer.caching !== 'no-store' && completeReasons.has(answer.finishReason);

const completeReasons = new Set(['stop', 'tool_calls', 'function_call']);
