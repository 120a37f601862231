import type { ProviderError, ProviderPart } from './provider.ts';

/** Parts that every provider may end with. */
export const isLast = (part: ProviderPart): boolean => part.kind === 'end' || part.kind === 'error';

export const failed = (error: ProviderError): ProviderPart => ({ kind: 'error', error });

export const tooLarge = (maxAnswerBytes: number): ProviderPart =>
  failed({ code: 'answer_too_large', detail: `the answer is larger than ${maxAnswerBytes} bytes` });
