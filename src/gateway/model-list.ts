import type { Config } from '../config/schema.ts';

/** One entry of GET /v1/models: OpenAI's shape, and beside it what the name stands for here. */
export type ListedModel = {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly switchyard: { readonly kind: 'auto' | 'model' | 'arm'; readonly model?: string; readonly simulated?: boolean };
};

/** "auto", then the models that an enabled arm uses, then the enabled arms. An arm named like a model is listed once, as the model. */
export const listModels = (config: Config, startedAtMs: number): ReadonlyMap<string, ListedModel> => {
  const shared = { object: 'model', created: Math.floor(startedAtMs / 1_000), owned_by: 'switchyard' } as const;
  const simulated = new Map(config.models.map(({ id, provider }) => [id, provider.kind === 'simulated']));
  const arms = config.arms.filter(({ enabled }) => enabled);
  const listed = new Map<string, ListedModel>([['auto', { id: 'auto', ...shared, switchyard: { kind: 'auto' } }]]);
  const add = (id: string, kind: 'model' | 'arm', model: string) => {
    if (!listed.has(id)) listed.set(id, { id, ...shared, switchyard: { kind, model, simulated: simulated.get(model) ?? false } });
  };
  for (const { model } of arms) add(model, 'model', model);
  for (const { id, model } of arms) add(id, 'arm', model);
  return listed;
};
