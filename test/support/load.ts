import { connect, createInbox, headers as natsHeaders, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestYard } from './yard.ts';

/**
 * Callers as they are in real life: each has an id of its own for each request and asks again until it is answered, whatever happens to the yard meanwhile.
 */
export type Asked = {
  readonly id: string;
  readonly via: 'http' | 'nats';
  /** Texts of all final answers that arrived; more than one different text means that a question was answered twice. */
  readonly answers: readonly string[];
  /** The code with which it ended when it was not answered. */
  readonly error: string | null;
  readonly attempts: number;
};

const patienceMs = 90_000;
const answerPatienceMs = 10_000;
const body = (id: string, streamed = false) =>
  JSON.stringify({ model: 'auto', stream: streamed, messages: [{ role: 'user', content: `question ${id}` }] });

/** Codes that a caller with an id of its own answers by asking again with the same id. */
const again = new Set(['unavailable', 'overloaded', 'internal', 'too_many_requests']);

const askHttp = async (yard: TestYard, id: string): Promise<Asked> => {
  const untilMs = Date.now() + patienceMs;
  for (let attempts = 1; ; attempts++) {
    try {
      const response = await fetch(`${yard.httpUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': id },
        body: body(id),
        signal: AbortSignal.timeout(Math.max(1, untilMs - Date.now())),
      });
      const json = (await response.json()) as { choices?: { message: { content: string } }[]; error?: { code: string } };
      const text = json.choices?.[0]?.message.content;
      if (text !== undefined) return { id, via: 'http', answers: [text], error: null, attempts };
      const code = json.error?.code ?? 'no code';
      if (!again.has(code)) return { id, via: 'http', answers: [], error: code, attempts };
    } catch (error) {
      if (Date.now() > untilMs) throw error;
    }
    if (Date.now() > untilMs) return { id, via: 'http', answers: [], error: 'patience', attempts };
    await sleep(100);
  }
};

const askNats = async (nc: NatsConnection, id: string): Promise<Asked> => {
  const inbox = createInbox();
  const untilMs = Date.now() + patienceMs;
  const answers: string[] = [];
  const heard: { error: string | null } = { error: null };
  const ended = Promise.withResolvers<void>();
  const subscription = nc.subscribe(inbox, {
    callback: (failure, message) => {
      if (failure !== null) return;
      const json = JSON.parse(message.string()) as {
        type: string;
        code?: string;
        response?: { choices: { message: { content: string } }[] };
      };
      if (json.type === 'final') answers.push(json.response?.choices[0]?.message.content ?? '');
      else if (json.type === 'error' && !again.has(json.code ?? '')) heard.error = json.code ?? 'no code';
      if (json.type === 'final' || heard.error !== null) ended.resolve();
    },
  });
  const headers = natsHeaders();
  headers.set('Switchyard-Request-Id', id);
  headers.set('Switchyard-Reply', inbox);
  let attempts = 0;
  // Answers travel over core NATS: one that is sent while this connection is being made again is lost, and asked for again with the same id.
  do {
    attempts++;
    const accepted = await nc.request('switchyard.request.default', body(id), { headers, timeout: 2_000 }).then(
      (message) => message.json<{ stream?: string }>().stream !== undefined,
      () => false,
    );
    await Promise.race([ended.promise, sleep(accepted ? answerPatienceMs : 100)]);
  } while (answers.length === 0 && heard.error === null && Date.now() < untilMs);
  await nc.flush().catch(() => undefined);
  subscription.unsubscribe();
  return { id, via: 'nats', answers, error: answers.length === 0 ? (heard.error ?? 'patience') : heard.error, attempts };
};

/** Keeps `concurrency` callers busy, half of them over NATS, until `stop` is called; resolves with what each was told. */
export const startLoad = async (yard: TestYard, options: { readonly concurrency: number; readonly prefix: string }) => {
  const nc = await connect({ servers: yard.natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 100, pingInterval: 2_000 });
  let running = true;
  let next = 0;
  const caller = async (index: number): Promise<readonly Asked[]> => {
    const told: Asked[] = [];
    while (running) {
      const id = `${options.prefix}-${next++}`;
      told.push(index % 2 === 0 ? await askHttp(yard, id) : await askNats(nc, id));
    }
    return told;
  };
  const callers = Array.from({ length: options.concurrency }, (_, index) => caller(index));
  return {
    sent: () => next,
    stop: async (): Promise<readonly Asked[]> => {
      running = false;
      const told = (await Promise.all(callers)).flat();
      await nc.close();
      return told;
    },
  };
};
