import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProviderPart } from '../../src/providers/provider.ts';
import { openExchange } from '../../src/providers/openai/exchange.ts';
import { streamedAnswer } from '../../src/providers/openai/streamed-answer.ts';
import { wholeAnswer } from '../../src/providers/openai/whole-answer.ts';
import { allFrames, deltaFrame, doneFrame, usageFrame, wholeBody } from '../support/openai-frames.ts';
import { endOf, errorOf, textOf } from '../support/provider-calls.ts';

const sent = { body: '{}', apiKey: undefined };

const readAll = (body: Uint8Array, cuts: readonly number[], maxAnswerBytes = 1_000_000): readonly ProviderPart[] => {
  const reader = streamedAnswer(maxAnswerBytes, sent);
  const edges = [0, ...cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length];
  const parts: ProviderPart[] = [];
  for (const [i, edge] of edges.slice(1).entries()) {
    parts.push(...reader.read(body.subarray(edges[i], edge)));
    if (parts.some((part) => part.kind === 'end' || part.kind === 'error')) return parts;
  }
  return [...parts, ...reader.end()];
};

describe('the reader of streams', () => {
  const unicode = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.toWellFormed());
  const cuts = fc.array(fc.nat(), { maxLength: 40 });

  test('gives the same parts wherever the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(unicode, { maxLength: 12 }), cuts, fc.constantFrom('\n', '\r\n', '\r'), (texts, where, lineEnd) => {
        const body = Buffer.from(allFrames({ texts }).replaceAll('\n', lineEnd));
        const parts = readAll(body, where);
        expect(parts).toEqual(readAll(body, []));
        expect(textOf(parts)).toBe(texts.join(''));
        expect(endOf(parts).usage).toEqual({ promptTokens: 11, completionTokens: 7 });
      }),
      { seed: 35 },
    );
  });

  test('takes no prefix of a stream for a whole answer before the reason has come', () => {
    const complete = allFrames({ texts: ['one', 'two', 'drei €'] });
    const body = Buffer.from(complete);
    const reasonAt = Buffer.byteLength(complete.slice(0, complete.indexOf('"stop"}]}\n\n') + 11));
    for (let length = 0; length <= body.length; length++) {
      const last = readAll(body.subarray(0, length), []).at(-1);
      expect(last?.kind, `after ${length} of ${body.length} bytes`).toBe(length < reasonAt ? 'error' : 'end');
    }
  });

  test('passes over comments, other fields, roles, empty deltas and other choices', () => {
    const body = [
      ': hello\n\n',
      'event: message\nid: 1\nretry: 5\nfoo: bar\n',
      deltaFrame({ role: 'assistant' }),
      deltaFrame({ content: '' }),
      deltaFrame({ content: 'a' }),
      'data: {"choices":[]}\n\n',
      'data: {"choices":\ndata: [{"delta":{"content":"b"},\ndata: "finish_reason":"stop"}]}\n\n',
      doneFrame,
    ];
    expect(readAll(Buffer.from(body.join('')), [])).toEqual([
      { kind: 'text', text: 'a' },
      { kind: 'text', text: 'b' },
      { kind: 'end', finishReason: 'stop', usage: null },
    ]);
  });

  test('takes the last usage it was given', () => {
    const used = (n: number) => usageFrame({ prompt_tokens: n, completion_tokens: n });
    const body = [used(1), deltaFrame({ content: 'a' }, 'stop'), used(2), 'data: {"choices":[]}\n\n', doneFrame];
    expect(endOf(readAll(Buffer.from(body.join('')), [])).usage).toEqual({ promptTokens: 2, completionTokens: 2 });
  });

  test('takes parts of content and refusals as text', () => {
    const body = [
      deltaFrame({ content: [{ type: 'text', text: 'a' }, { type: 'image' }] }),
      deltaFrame({ content: null, refusal: 'no' }, 'stop'),
      doneFrame,
    ];
    expect(textOf(readAll(Buffer.from(body.join('')), []))).toBe('ano');
  });

  test('keeps a reason short enough for an event', () => {
    const parts = readAll(Buffer.from(deltaFrame({ content: 'a' }, 'x'.repeat(1_000)) + doneFrame), []);
    expect(endOf(parts).finishReason).toHaveLength(64);
  });

  test('gives nothing after its last part', () => {
    const parts = readAll(Buffer.from(`${allFrames({ texts: ['a'] })}${deltaFrame({ content: 'late' })}${doneFrame}`), []);
    expect(parts.map((part) => part.kind)).toEqual(['text', 'end']);
  });

  test('counts bytes of text and tool calls towards the limit', () => {
    const body = Buffer.from(deltaFrame({ content: 'ää', tool_calls: [{ index: 0 }] }, 'stop') + doneFrame);
    const bytes = 4 + Buffer.byteLength('[{"index":0}]');
    expect(endOf(readAll(body, [], bytes)).finishReason).toBe('stop');
    expect(errorOf(readAll(body, [], bytes - 1)).code).toBe('answer_too_large');
  });
});

describe('the reader of whole answers', () => {
  test('holds text to the limit, not the escapes it was sent in', () => {
    const text = 'é'.repeat(1_000);
    const escaped = wholeBody({ text }).replaceAll('é', '\\u00e9');
    const read = (maxAnswerBytes: number) => {
      const reader = wholeAnswer(maxAnswerBytes, sent);
      const parts = reader.read(Buffer.from(escaped));
      return parts.length > 0 ? parts : reader.end();
    };
    expect(textOf(read(2_000))).toBe(text);
    expect(errorOf(read(1_999)).code).toBe('answer_too_large');
  });
});

describe('the exchange', () => {
  test('pauses the socket while parts wait, and lets it go on when they are taken', async () => {
    const exchange = openExchange(() => streamedAnswer(1_000_000, sent), { drainMs: 1_000 });
    let paused = false;
    const controller = {
      aborted: false,
      reason: null,
      get paused() {
        return paused;
      },
      abort: () => undefined,
      pause: () => {
        paused = true;
      },
      resume: () => {
        paused = false;
      },
    };
    const { handler } = exchange;
    handler.onRequestStart?.(controller, {});
    handler.onResponseStart?.(controller, 200, {});
    const frame = Buffer.from(deltaFrame({ content: 'x'.repeat(10_000) }));
    const pausedAfter = Array.from({ length: 8 }, () => {
      handler.onResponseData?.(controller, frame);
      return paused;
    });
    expect(pausedAfter.indexOf(true)).toBe(6);
    expect(await exchange.take()).toHaveLength(8);
    expect(paused).toBe(false);
  });
});
