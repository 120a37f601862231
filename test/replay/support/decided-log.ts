import { setTimeout as sleep } from 'node:timers/promises';
import type { PolicyState } from '../../../src/actors/policy-change.ts';
import type { Bus } from '../../../src/bus/bus.ts';
import { changePolicy } from '../../../src/cli/change-policy.ts';
import type { ConfigInput } from '../../../src/config/schema.ts';
import { named } from '../../../src/domain/routing/policy-version.ts';
import { emptySnapshot } from '../../../src/domain/routing/snapshot.ts';
import {
  feedbackReceived,
  idempotencyIds,
  makeEvent,
  requestIdSchema,
  tenantSchema,
  type EventOf,
  type SwitchyardEvent,
} from '../../../src/events/index.ts';
import { policySpecSchema, type PolicySpecInput } from '../../../src/events/schemas/policy.ts';
import { decideAgain, type DecidedAgain, type PeriodOptions } from '../../../src/replay/again/decide-again.ts';
import { messagesOfLog, type Message } from '../../../src/replay/again/messages.ts';
import { createTestBus, request, startActors, type TestActors } from '../../actors/support/actors.ts';
import { eventually } from '../../support/eventually.ts';

/** Logs as two processes with real routers make them: decisions of both interleave, a canary runs, the policy is swapped in the middle, feedback comes late, one tenant has a budget. */
const model = (id: string, quality: number, usd: number) => ({
  id,
  provider: {
    kind: 'simulated',
    firstTokenMs: { median: 1, p95: 3 },
    tokensPerSecond: 20_000,
    answerTokens: { median: 8, p95: 20 },
    quality,
  } as const,
  price: { inputUsdPerMillionTokens: usd, outputUsdPerMillionTokens: 4 * usd },
  contextTokens: 100_000,
});

export const yardConfig: Partial<ConfigInput> = {
  models: [model('sim-a', 0.9, 3), model('sim-b', 0.6, 1), model('sim-c', 0.3, 0.1)],
  arms: [
    { id: 'a', model: 'sim-a' },
    { id: 'b', model: 'sim-b' },
    { id: 'c', model: 'sim-c' },
  ],
  tenants: [{ id: 'default' }, { id: 'acme', budget: { usdPerRequest: 0.0001 } }],
};

const tenantOf = (i: number) => tenantSchema.parse(i % 2 === 0 ? 'default' : 'acme');
const prompts = [
  'Translate this into French: good morning',
  'Write a Python function that sorts',
  'What is the capital of Peru?',
  'Solve for x: 3x + 4 = 19',
];

/** Requests `from` to `to`, eight at a time, each by one of the processes. */
const askAll = async (processes: readonly TestActors[], from: number, to: number): Promise<void> => {
  let next = from;
  const caller = async () => {
    while (next <= to) {
      const i = next++;
      const actors = processes[i % processes.length];
      const conversation = i % 5 === 0 ? { conversation: `conversation-${i % 7}` } : {};
      await actors?.ask(
        request({ id: `asked-${i}`, content: `${prompts[i % prompts.length] ?? ''} ${i}`, tenant: tenantOf(i), ...conversation }),
      );
    }
  };
  await Promise.all(Array.from({ length: 8 }, caller));
};

const contentOf = (spec: PolicySpecInput, { inForce }: PolicyState) => {
  if (inForce === null) throw new Error('expected a policy in force');
  return named({ spec: policySpecSchema.parse(spec), weights: inForce.weights, arms: inForce.arms });
};

const judgeLate = async (bus: Bus, numbers: readonly number[]): Promise<void> => {
  for (const i of numbers) {
    const tenant = tenantOf(i);
    const requestId = requestIdSchema.parse(`asked-${i}`);
    const event = makeEvent(
      feedbackReceived,
      { tenant, requestId, source: 'switchyard/a-gateway', timeMs: Date.now() - 3_000 },
      { feedbackId: `late-${i}`, kind: 'thumb', scoreMicro: i % 3 === 0 ? 1_000_000 : 0 },
    );
    await bus.log.append([event], { idempotencyId: idempotencyIds.feedback(tenant, requestId, event.id) });
  }
};

/** A log of twice `half` requests; the swap is in the middle. */
export const decidedLog = async (half: number): Promise<Bus> => {
  const bus = createTestBus(yardConfig);
  const processes = [
    await startActors({ bus, instance: 'host-a', config: yardConfig }),
    await startActors({ bus, instance: 'host-b', config: yardConfig }),
  ];
  try {
    await askAll(processes, 1, Math.floor(half / 2));
    await hasPaces(bus, 1);
    const guard = { confidence: 0.99, minRequests: 10_000, rewardMargin: 1, errorMargin: 1, costMargin: 100 };
    await changePolicy(bus, (state) => ({
      kind: 'start-canary',
      content: contentOf({ kind: 'epsilon-greedy', id: 'greedy' }, state),
      share: 0.4,
      guard,
    }));
    await askAll(processes, Math.floor(half / 2) + 1, half);
    await Promise.all([
      askAll(processes, half + 1, 2 * half),
      sleep(20).then(() =>
        changePolicy(bus, (state) => ({
          kind: 'activate',
          content: contentOf({ kind: 'beta-bernoulli-thompson', id: 'swapped' }, state),
          origin: 'command',
        })),
      ),
      judgeLate(bus, [1, 2, 3, 4, 5, 6]),
    ]);
    await eventually(
      async () =>
        (await eventsIn(bus)).filter(
          ({ type, data }) => type === 'reward.recorded' && 'feedbackId' in data && String(data.feedbackId).startsWith('late-'),
        ).length === 6,
    );
    await hasPaces(bus, 2);
    // Decisions that know of the feedback, and of prices that were set twice.
    await askAll(processes, 2 * half + 1, 2 * half + 40);
  } finally {
    await Promise.all(processes.map((actors) => actors.close()));
  }
  return bus;
};

/** Prices are set each second, once requests have ended since the last time. */
const hasPaces = (bus: Bus, steps: number): Promise<true> =>
  eventually(async () => (await eventsIn(bus)).some(({ type, data }) => type === 'budget.paced' && 'step' in data && data.step >= steps));

const eventsIn = async (bus: Bus): Promise<readonly SwitchyardEvent[]> => (await messagesIn(bus)).flatMap(({ events }) => events);

export const messagesIn = async (bus: Bus): Promise<readonly Message[]> =>
  all(messagesOfLog(bus.log, { from: 1, to: (await bus.log.bounds()).last }));

export const all = async <Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> => {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
};

export async function* streamOf<Item>(items: readonly Item[]): AsyncGenerator<Item, void, undefined> {
  for (const item of items) yield item;
}

/** The whole log of these messages. */
export const wholePeriod = (messages: readonly Message[]): PeriodOptions => ({
  messages: streamOf(messages),
  base: { snapshot: emptySnapshot, from: 'log', missing: 0 },
  from: 1,
  to: messages.at(-1)?.sequence ?? 0,
  tenant: null,
});

export const decidedAgain = (messages: readonly Message[], changes: Partial<PeriodOptions> = {}): Promise<readonly DecidedAgain[]> =>
  all(decideAgain({ ...wholePeriod(messages), ...changes }));

export const unequal = (found: readonly DecidedAgain[]): readonly DecidedAgain[] => found.filter(({ kind }) => kind !== 'equal');

export const isDecision = (event: SwitchyardEvent): event is EventOf<'route.decided'> => event.type === 'route.decided';
export const decisionsIn = (messages: readonly Message[]): readonly (EventOf<'route.decided'> & { readonly at: number })[] =>
  messages.flatMap(({ sequence, events }) => events.filter(isDecision).map((event) => ({ ...event, at: sequence })));

/** The messages with one of them changed. */
export const withEvents = (
  messages: readonly Message[],
  at: number,
  change: (events: readonly SwitchyardEvent[]) => readonly SwitchyardEvent[],
): readonly Message[] => messages.map((message) => (message.sequence === at ? { ...message, events: change(message.events) } : message));
