import pino from 'pino';
import { onTestFinished } from 'vitest';
import { createMemoryBus } from '../../../src/bus/memory/bus.ts';
import type { Config } from '../../../src/config/schema.ts';
import { startHttpGateway, type HttpGateway, type HttpGatewayParts } from '../../../src/gateway/http-server.ts';
import { gatewayConfig } from './gateway-config.ts';
import { scriptedAnswering, threeWords, type ScriptedAnswering } from './scripted-answering.ts';

export type TestHttp = HttpGateway & { readonly answering: ScriptedAnswering; readonly config: Config };

/** The HTTP face on a free port, with a scripted Answering behind it; closed when the test is over. */
export const startHttp = async (
  parts: Partial<Omit<HttpGatewayParts, 'answering'>> & { readonly answering?: ScriptedAnswering } = {},
): Promise<TestHttp> => {
  const config = parts.config ?? gatewayConfig();
  const answering = parts.answering ?? scriptedAnswering(threeWords);
  const gateway = await startHttpGateway({
    log: createMemoryBus({ config }).log,
    readiness: () => [{ part: 'bus', ready: true }],
    logger: pino({ level: 'silent' }),
    instance: 'test',
    drainMs: 500,
    ...parts,
    config,
    answering,
  });
  onTestFinished(gateway.close);
  return { ...gateway, answering, config };
};

export const chatBody = (more: object = {}) => ({
  model: 'auto',
  messages: [{ role: 'user', content: 'How many legs do three spiders have?' }],
  ...more,
});

export const post = (address: string, body: unknown, headers: Record<string, string> = {}, path = '/v1/chat/completions') =>
  fetch(`${address}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });

/** The `data:` lines of a stream, in order. */
export const framesOf = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => frame.replace(/^data: /, ''));

export type ErrorBody = {
  readonly error: { readonly code: string; readonly message: string; readonly type: string; readonly param: string | null };
};

export const errorOf = async (response: Response): Promise<ErrorBody['error']> => ((await response.json()) as ErrorBody).error;
