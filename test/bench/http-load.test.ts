import { afterEach, describe, expect, it } from 'vitest';
import { manyAtATime, oneAtATime, openTarget, uniquePrompts, type Target } from '../../bench/http-load.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';

const opened: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const start = async (
  options?: Parameters<typeof startMockProvider>[0],
): Promise<{ readonly mock: MockProvider; readonly target: Target }> => {
  const mock = await startMockProvider(options);
  const target = openTarget({ name: 'mock', url: mock.url, model: 'm', headers: ['x-extra', 'yes'], connections: 4 });
  opened.push(mock, target);
  return { mock, target };
};
const never = new AbortController().signal;

describe('the load generator', () => {
  it('asks for chat completions, each prompt another one', async () => {
    const { mock, target } = await start({
      script: () => ({ kind: 'bytes', headers: { 'content-type': 'application/json' }, chunks: ['{}'], then: 'end' }),
    });
    const prompt = uniquePrompts('r');
    const [timesMs] = await oneAtATime([target], 5, prompt, never);
    expect(timesMs).toHaveLength(5);
    expect(timesMs?.every((ms) => ms > 0)).toBe(true);
    expect(new Set(mock.requests.map(({ body }) => body)).size).toBe(5);
    expect(mock.requests[0]).toMatchObject({ path: '/v1/chat/completions', headers: { 'x-extra': 'yes' } });
    expect(JSON.parse(mock.requests[0]?.body ?? '')).toMatchObject({ model: 'm', messages: [{ role: 'user' }] });
  });

  it('takes targets in turn, in a rotating order', async () => {
    const order: string[] = [];
    const target = (name: string): Target => ({ name, ask: async () => order.push(name), close: async () => undefined });
    await oneAtATime([target('a'), target('b'), target('c')], 3, () => 'x', never);
    expect(order.join('')).toBe('abcbcacab');
  });

  it('keeps so many under way for so long', async () => {
    let underWay = 0;
    let most = 0;
    const { mock, target } = await start();
    const counting: Target = {
      ...target,
      ask: async (prompt) => {
        most = Math.max(most, ++underWay);
        const ms = await target.ask(prompt);
        underWay--;
        return ms;
      },
    };
    const burst = await manyAtATime(counting, 4, 200, uniquePrompts('r'), never);
    expect(most).toBe(4);
    expect(burst.requests).toBe(burst.timesMs.length);
    expect(burst.ratePerSecond).toBeGreaterThan(0);
    expect(mock.connections.opened).toBe(4);
  });

  it.each([
    ['a refusal', { kind: 'bytes', status: 503, chunks: ['{}'], then: 'end' }, /expected status 200 and an answer, got 503/],
    ['a cut answer', { kind: 'bytes', chunks: ['{'], then: 'cut' }, /mock: /],
  ] as const)('does not take %s for a fast answer', async (_, reply, expected) => {
    const { target } = await start({ script: () => reply });
    await expect(target.ask('x')).rejects.toThrow(expected);
  });
});
