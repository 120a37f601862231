import { requestIdSchema } from '../../src/events/index.ts';
import type { ProviderCall, ProviderPart } from '../../src/providers/provider.ts';

/** A call as a streamer makes it, with what the test wants otherwise. */
export const secretPrompt = 'Sesame opens the mountain';

export const callOf = (changes: Partial<Omit<ProviderCall, 'requestId'>> & { readonly requestId?: string } = {}): ProviderCall => ({
  messages: [{ role: 'user', content: secretPrompt }],
  parameters: {},
  streamed: true,
  deadlines: { firstTokenMs: 10_000, idleMs: 10_000, totalMs: 20_000 },
  maxAnswerBytes: 1_000_000,
  signal: new AbortController().signal,
  ...changes,
  requestId: requestIdSchema.parse(changes.requestId ?? 'request-1'),
});

export const collect = async <T>(parts: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = [];
  for await (const part of parts) all.push(part);
  return all;
};

export const textOf = (parts: readonly ProviderPart[]): string =>
  parts
    .filter((part) => part.kind === 'text')
    .map((part) => part.text)
    .join('');

/** The error that an answer ended with. Fails when it ended otherwise. */
export const errorOf = (parts: readonly ProviderPart[]) => {
  const last = parts.at(-1);
  if (last?.kind !== 'error') throw new Error(`expected an error at the end, got ${JSON.stringify(last)}`);
  return last.error;
};

export const endOf = (parts: readonly ProviderPart[]) => {
  const last = parts.at(-1);
  if (last?.kind !== 'end') throw new Error(`expected an end, got ${JSON.stringify(last)}`);
  return last;
};
