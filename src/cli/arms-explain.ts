import { z } from 'zod';
import { budgetOf, rewardConfigOf } from '../actors/host-parts.ts';
import { policyContent } from '../actors/policy.ts';
import { findHashKey } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { keyedHashWith } from '../domain/keyed-hash.ts';
import { conversationText } from '../domain/routing/conversation.ts';
import { decidersOf, explainRoute, type Explanation } from '../domain/routing/explain.ts';
import { extractFeatures } from '../domain/routing/features/extract.ts';
import { needsOf } from '../domain/routing/needs.ts';
import type { RoutingInput } from '../domain/routing/router.ts';
import { stateOf } from '../domain/routing/snapshot.ts';
import type { Tenant } from '../events/index.ts';
import { createReadTenant } from '../gateway/accept-chat.ts';
import { conversationSchema } from '../gateway/chat-schema.ts';
import { rowsFromClickhouse } from './ask-clickhouse.ts';
import { CommandError, exitCodes, usageError } from './exit-codes.ts';
import { locateYard, type AddressOptions, type Located } from './locate.ts';
import { withBus } from './open-bus.ts';
import { showExplanation } from './show-explanation.ts';
import { readStandardInput } from './standard-input.ts';
import { stateNow, type StateNow } from './state-now.ts';
import { unknownName } from './tenant.ts';
import type { Terminal } from './terminal.ts';

/** Why a prompt would go where: computed here, from the state in force. No model is asked, nothing is written. */
export type Explained = {
  readonly request: Omit<RoutingInput, 'draw'>;
  readonly state: { readonly sequence: number; readonly source: StateNow['source'] };
  /** Two while a canary runs and the conversation is not known. */
  readonly decisions: readonly Explanation[];
};

export type ExplainOptions = AddressOptions & { readonly tenant?: string; readonly model?: string; readonly conversation?: string };

export const explainPrompt = async (terminal: Terminal, prompt: string, options: ExplainOptions): Promise<void> => {
  const located = locateYard(options);
  const { config } = located.settings;
  const signal = terminal.interrupted();
  const content = prompt === '-' ? await readStandardInput('a prompt') : prompt;
  requireLength(content, config);
  const tenant = tenantOf(config, options.tenant);
  const conversation = options.conversation === undefined ? null : hashOf(located, tenant, options.conversation);
  const now = await withBus(located, (bus) => stateNow(bus, { located, signal, note: terminal.note }));
  const request = { messages: [{ role: 'user', content }], parameters: {}, tenant };
  const features = extractFeatures(request);
  const input: RoutingInput = {
    tenant,
    requestedModel: options.model ?? 'auto',
    features,
    maxOutputTokens: features.requestedTokens,
    needs: needsOf(request),
    weights: rewardConfigOf(config, tenant).weights,
    budget: budgetOf(config, tenant),
    conversation:
      conversation === null ? null : { id: conversation, previousArm: await previousArm(terminal, located, conversation, signal) },
    decidedAtMs: Date.now(),
    // Picks the arm; the probabilities do not depend on it.
    draw: 0,
  };
  const explained = explain(input, now, config, conversation);
  await (options.json === true ? terminal.json(withoutDraw(explained)) : showExplanation(terminal, explained));
  if (explained.decisions.some(({ decision }) => decision.kind === 'no-candidate')) process.exitCode = exitCodes.failed;
};

const explain = (input: RoutingInput, { snapshot, source }: StateNow, config: Config, conversation: string | null): Explained => {
  const state = stateOf(snapshot);
  const deciders = decidersOf(state, policyContent(config), conversation);
  const decisions = deciders.map(({ policy, share }) => explainRoute(input, policy, share, state));
  if (decisions.some(({ decision }) => decision.kind === 'unknown-model')) {
    const names = [...new Set(deciders.flatMap(({ policy }) => policy.content.arms.flatMap(({ arm, model }) => [arm, model])))];
    throw usageError(unknownName('--model', input.requestedModel, ['auto', ...names]));
  }
  const { draw: _draw, ...request } = input;
  return { request, state: { sequence: snapshot.sequence, source }, decisions };
};

/** Which arm a draw would pick is no part of an explanation. */
const withoutDraw = ({ decisions, ...rest }: Explained) => ({
  ...rest,
  decisions: decisions.map(({ decision, ...one }) => {
    if (decision.kind !== 'chosen')
      return { ...one, candidates: [], exclusions: decision.kind === 'no-candidate' ? decision.exclusions : [], pacing: null };
    const { candidates, exclusions, pacing } = decision.choice;
    return { ...one, candidates, exclusions, pacing };
  }),
});

const requireLength = (prompt: string, { requests }: Config): void => {
  if (prompt.trim() === '') throw usageError('--explain: expected a prompt, got nothing');
  if (prompt.length > requests.promptCharacters)
    throw usageError(
      `--explain: expected at most ${requests.promptCharacters} characters, as the gateway does (requests.promptCharacters); got ${prompt.length}`,
    );
};

const tenantOf = (config: Config, name: string | undefined): Tenant => {
  const read = createReadTenant(config)(name);
  if (read.kind === 'read') return read.value;
  throw usageError(
    unknownName(
      '--tenant',
      name ?? '',
      config.tenants.map(({ id }) => id),
    ),
  );
};

const hashOf = ({ settings }: Located, tenant: Tenant, conversation: string): string => {
  const checked = conversationSchema.safeParse(conversation);
  if (!checked.success) throw usageError(`--conversation: ${checked.error.issues[0]?.message ?? 'expected the name of a conversation'}`);
  const key = findHashKey(settings);
  if (key === null)
    throw usageError(
      `--conversation: expected the key under which the yard hashes names, in ${settings.config.dataDir}/hash-key (of any worker on the same NATS) or SWITCHYARD_HASH_KEY; got none`,
    );
  return keyedHashWith(key)(conversationText(tenant, checked.data));
};

/** The router remembers it of recent conversations; here ClickHouse does. */
const previousArm = async (terminal: Terminal, located: Located, conversation: string, signal: AbortSignal): Promise<string | null> => {
  const statement = `SELECT arm FROM events WHERE type = 'route.decided' AND conversation = {conversation:String} ORDER BY stream_epoch DESC, sequence DESC LIMIT 1`;
  try {
    const [row] = await rowsFromClickhouse(located, statement, z.object({ arm: z.string() }), { parameters: { conversation }, signal });
    return row?.arm ?? null;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    terminal.note(`which arm answered before in this conversation is not known: ${error.message}`);
    return null;
  }
};
