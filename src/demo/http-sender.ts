import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { z } from 'zod';
import { untilItStands, type Attempt, type DemoRequest, type Sender } from './sender.ts';

/** Requests over HTTP, as any client of the OpenAI API would send them. */
const failureSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const pauseMs = 200;

export const openHttpSender = (httpUrl: string, connections: number): Sender => {
  const pool = new Pool(httpUrl, { connections, pipelining: 1 });

  const attempt = async ({ id, prompt }: DemoRequest): Promise<Attempt> => {
    try {
      const { statusCode, headers, body } = await pool.request({
        path: '/v1/chat/completions',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': id },
        body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: prompt }] }),
      });
      const text = await body.text();
      if (statusCode === 200) return { kind: 'answered', fromCache: headers['x-switchyard-cache'] === 'hit' };
      const { code, message } = failureOf(text, statusCode);
      if (headers['x-should-retry'] !== 'true') return { kind: 'failed', code, message };
      return { kind: 'again', afterMs: Number(headers['retry-after-ms'] ?? pauseMs), code, message };
    } catch (error) {
      return { kind: 'again', afterMs: pauseMs, code: 'unreachable', message: error instanceof Error ? error.message : String(error) };
    }
  };

  return { send: (request) => untilItStands(() => attempt(request), sleep), close: () => pool.destroy() };
};

const failureOf = (text: string, statusCode: number): { readonly code: string; readonly message: string } => {
  try {
    return failureSchema.parse(JSON.parse(text)).error;
  } catch {
    return { code: `http_${statusCode}`, message: `expected an answer or an error in JSON, got status ${statusCode}` };
  }
};
