import pino from 'pino';
import { startYard } from '../src/actors/yard.ts';
import { openBus } from '../src/bus/jetstream/connect.ts';
import { configSchema } from '../src/config/schema.ts';
import { madeUpPrompts } from '../src/demo/made-up-prompts.ts';
import { atOnce } from '../src/demo/arrivals.ts';
import { sendAll } from '../src/demo/send-all.ts';
import { seededRandom } from '../src/domain/random.ts';
import { requestIdSchema, tenantSchema } from '../src/events/index.ts';
import type { Provider } from '../src/providers/provider.ts';
import { qualityOf, replayYard, requestId, tenantOf, type WorkerSays, type WorkerTask } from './replay-yard.ts';

/** One process with router, cache and streamer, as a worker composes them, without a gateway: its requests come from itself. Arguments: the url of the NATS server and the name of the process. */
const [url = '', instance = ''] = process.argv.slice(2);
const concurrency = 32;

const config = configSchema.parse(replayYard);
const logger = pino({ level: 'warn' }, pino.destination(2));
const bus = await openBus({ url, name: `replay ${instance}`, pingIntervalMs: config.nats.pingIntervalMs, config, logger });

/** Answers at once, without a clock: what is measured is not the model. Good or not by the request's own draw. */
const provider = (id: string): Provider => ({
  id,
  simulated: true,
  answer: async function* ({ requestId: of }) {
    const random = seededRandom(`${id} ${of}`);
    yield { kind: 'text', text: 'an answer' };
    yield {
      kind: 'end',
      finishReason: random() < (qualityOf[id] ?? 0) ? 'stop' : 'content_filter',
      usage: { promptTokens: 20 + Math.floor(random() * 200), completionTokens: 10 + Math.floor(random() * 100) },
    };
  },
  close: async () => undefined,
});

const yard = await startYard({
  instance,
  settings: {
    config,
    secrets: {
      natsPassword: undefined,
      clickhousePassword: undefined,
      hashKey: new Uint8Array(32).fill(1),
      hashKeyIsGiven: true,
      apiKeys: new Map(),
    },
    file: null,
  },
  roles: new Set(['router', 'cache', 'streamer']),
  bus,
  providers: new Map(config.models.map(({ id }) => [id, provider(id)])),
  logger,
  evidenceSource: async () => null,
  memory: { eventsOf: async () => null, unsettledFeedback: async () => null },
  onLost: (reason) => {
    throw new Error(`the log was lost: ${reason}`);
  },
});

const ask = async (index: number, prompt: string): Promise<boolean> => {
  if (yard.answering === null) throw new Error('expected a process that answers');
  const answer = yard.answering.answer(
    {
      requestId: requestIdSchema.parse(requestId(index)),
      retryable: false,
      tenant: tenantSchema.parse(tenantOf(index)),
      model: 'auto',
      messages: [{ role: 'user', content: prompt }],
      parameters: {},
      streamed: false,
      caching: 'use',
      ...(index % 5 === 0 ? { conversation: `conversation-${index % 997}` } : {}),
      receivedAtMs: Date.now(),
    },
    new AbortController().signal,
  );
  let isAnswered = false;
  for await (const part of answer) isAnswered = part.kind === 'finished';
  return isAnswered;
};

const say = (what: WorkerSays) => process.send?.(what);

process.on('message', ({ from, to }: WorkerTask) => {
  const prompts = madeUpPrompts(to - from, from);
  let failed = 0;
  const send = async (i: number) => {
    if (!(await ask(from + i, prompts[i] ?? ''))) failed++;
  };
  sendAll({ count: to - from, arrivals: atOnce, concurrency, send }).then(
    () => say({ kind: 'asked', failed }),
    (error: unknown) => {
      logger.fatal({ err: error }, 'the worker failed');
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => {
  void yard
    .close()
    .then(() => bus.close())
    .finally(() => process.exit(0));
});
say({ kind: 'ready' });
