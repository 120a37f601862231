import { z } from 'zod';
import { nameSchema } from '../events/index.ts';
import { policySpecSchema } from '../events/schemas/policy.ts';
import { policyProblems } from './policy-rules.ts';

/**
 * What must hold between parts of the configuration. A rule looks only at the parts that it is about, and runs when those can be read, whatever is
 * wrong elsewhere: so that all mistakes are told at once.
 */
export const checkRules = (config: unknown, context: Pick<z.core.$RefinementCtx, 'addIssue'>): void => {
  const refuse: Refuse = (path, expected, input) => {
    context.addIssue({ code: 'custom', path: [...path], message: expected, input, params: { seen: input } });
  };
  for (const rule of rules) rule(config, refuse);
};

type Refuse = (path: readonly (string | number)[], expected: string, input: unknown) => void;
type Rule = (config: unknown, refuse: Refuse) => void;

const rule =
  <Part extends z.ZodType>(part: Part, check: (config: z.output<Part>, refuse: Refuse) => void): Rule =>
  (config, refuse) => {
    const read = part.safeParse(config);
    if (read.success) check(read.data, refuse);
  };

const daySeconds = 86_400;

const named = z.array(z.object({ id: z.string() }));
const arms = z.array(z.object({ id: z.string(), enabled: z.boolean().default(true) }));

const idsOnce = (key: 'models' | 'arms' | 'tenants', singular: string): Rule =>
  rule(z.object({ [key]: named }), (config, refuse) => {
    const seen = new Set<string>();
    config[key]?.forEach(({ id }, index) => {
      if (seen.has(id)) refuse([key, index, 'id'], `expected each ${singular} id once`, id);
      seen.add(id);
    });
  });

const autoIsTaken = (key: 'models' | 'arms'): Rule =>
  rule(z.object({ [key]: named }), (config, refuse) => {
    config[key]?.forEach(({ id }, index) => {
      if (id === 'auto') refuse([key, index, 'id'], 'expected another name: "auto" stands for the choice of the router', id);
    });
  });

const rules: readonly Rule[] = [
  idsOnce('models', 'model'),
  idsOnce('arms', 'arm'),
  idsOnce('tenants', 'tenant'),
  autoIsTaken('models'),
  autoIsTaken('arms'),
  rule(z.object({ models: named, arms: z.array(z.object({ model: nameSchema })) }), (config, refuse) => {
    const known = [...new Set(config.models.map((model) => model.id))];
    config.arms.forEach((arm, index) => {
      if (!known.includes(arm.model)) refuse(['arms', index, 'model'], `expected one of the models ${known.join(', ')}`, arm.model);
    });
  }),
  rule(z.object({ arms }), (config, refuse) => {
    if (!config.arms.some((arm) => arm.enabled)) refuse(['arms'], 'expected at least one enabled arm', config.arms);
  }),
  rule(z.object({ arms, policy: policySpecSchema }), (config, refuse) => {
    const names = config.arms.map(({ id }) => id);
    for (const { path, expected, seen } of policyProblems(config.policy, names)) refuse(['policy', ...path], expected, seen);
  }),
  rule(
    z.object({
      requests: z.object({ ackWaitSeconds: z.number(), maxDeliveries: z.number() }),
      log: z.object({ duplicateWindowSeconds: z.number() }),
    }),
    ({ requests, log }, refuse) => {
      const redeliverySeconds = requests.ackWaitSeconds * requests.maxDeliveries;
      if (redeliverySeconds > log.duplicateWindowSeconds)
        refuse(
          ['requests', 'ackWaitSeconds'],
          `expected ackWaitSeconds x maxDeliveries (${redeliverySeconds} s) within log.duplicateWindowSeconds (${log.duplicateWindowSeconds} s), so that a redelivery meets its first attempt`,
          requests.ackWaitSeconds,
        );
    },
  ),
  // nats-server refuses such a stream. The queue of requests takes the shorter of its age and the window (topology.ts), dead letters are older than any window.
  rule(z.object({ log: z.object({ maxAgeDays: z.number(), duplicateWindowSeconds: z.number() }) }), ({ log }, refuse) => {
    const windowDays = log.duplicateWindowSeconds / daySeconds;
    if (log.maxAgeDays < windowDays)
      refuse(
        ['log', 'maxAgeDays'],
        `expected no less than log.duplicateWindowSeconds (${log.duplicateWindowSeconds} s, ${Math.ceil(windowDays * 1e5) / 1e5} days), for which the log knows each request again`,
        log.maxAgeDays,
      );
  }),
];
