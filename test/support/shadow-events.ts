import {
  makeEvent,
  shadowCompleted,
  shadowGranted,
  shadowSkipped,
  systemTenant,
  tenantSchema,
  type DataOf,
} from '../../src/events/index.ts';

/** Events of shadows, with the figures that a test is about. `i` names the request; events are 100 ms apart. */
export const shadowStartMs = Date.UTC(2026, 0, 1);

type Figures = DataOf<'shadow.completed'>['shadow'];

const figures = (arm: string, changes: Partial<Figures>): Figures => ({
  arm,
  model: arm.replace('arm', 'model'),
  outcome: 'completed',
  detail: null,
  finishReason: 'stop',
  latencyMs: 100,
  firstTokenMs: 20,
  promptTokens: 30,
  completionTokens: 60,
  costNanoUsd: 1_000,
  answerCharacters: 240,
  scoreMicro: null,
  simulated: false,
  ...changes,
});

const context = (i: number, tenant: string) => ({
  tenant: tenantSchema.parse(tenant),
  requestId: `request-${i}`,
  source: 'switchyard/test',
  timeMs: shadowStartMs + 100 * i,
});

export const shadowed = (
  i: number,
  delivered: Partial<Figures> & { readonly arm: string },
  shadow: Partial<Figures> & { readonly arm: string },
  data: Partial<DataOf<'shadow.completed'>> & { readonly tenant?: string } = {},
) => {
  const { tenant = 'default', ...rest } = data;
  return makeEvent(shadowCompleted, context(i, tenant), {
    question: i.toString(16).padStart(32, '0'),
    streamed: true,
    share: 0.3,
    propensity: 0.5,
    delivered: figures(delivered.arm, delivered),
    shadow: figures(shadow.arm, shadow),
    similarity: 0.5,
    similarityMethod: 'trigram-jaccard-v1',
    reservedNanoUsd: 20_000,
    overrunNanoUsd: 0,
    ...rest,
  });
};

export const granted = (block: number) =>
  makeEvent(
    shadowGranted,
    { tenant: systemTenant, requestId: `shadow:${shadowStartMs}`, source: 'switchyard/test', timeMs: shadowStartMs },
    {
      windowStart: new Date(shadowStartMs).toISOString(),
      windowMs: 240_000,
      block,
      blocks: 20,
      blockNanoUsd: 6_666_666,
      host: 'test',
    },
  );

export const skipped = (i: number, counts: Partial<DataOf<'shadow.skipped'>>, tenant = 'default') =>
  makeEvent(
    shadowSkipped,
    { ...context(i, tenant), requestId: 'shadow-skips:test' },
    {
      from: new Date(shadowStartMs).toISOString(),
      to: new Date(shadowStartMs + 100 * i).toISOString(),
      host: 'test',
      noSecondArm: 0,
      cancelled: 0,
      concurrency: 0,
      rate: 0,
      budget: 0,
      draining: 0,
      unavailable: 0,
      ...counts,
    },
  );
