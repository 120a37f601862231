import { routerEventTypes } from '../../domain/routing/state.ts';
import { evidenceFields, type EvidenceField } from '../../domain/routing/sums.ts';
import { catalogue } from '../../events/index.ts';
import { literal } from '../../projections/clickhouse.ts';
import { eventText } from '../../projections/events-of-rows.ts';
import { evidenceColumns, poisonType, tables } from '../../projections/table.ts';
import { featureNumbers, featureTexts } from '../feature-columns.ts';

/** What is there of a row. */
export const rowKinds = { other: 0, decision: 1, reward: 2, text: 3, outcomeOfArm: 4 } as const;

const folded = [...routerEventTypes, poisonType].map((type) => literal(type)).join(', ');

const isCurrent = (type: 'route.decided' | 'reward.recorded'): string =>
  `type = ${literal(type)} AND schema_version = ${catalogue[type].version}`;

/**
 * Decisions and rewards of the present version are in columns; what else the router folds comes as text and is raised as it is everywhere. So does a decision that says of no moment when it was made, which no column
 * tells: one that was raised from version 1 before it was projected.
 */
const kindOfRow = `multiIf(${isCurrent('route.decided')} AND features.version = 2 AND position(data, '"decidedAt":null') = 0, ${rowKinds.decision}, ${isCurrent('reward.recorded')}, ${rowKinds.reward},
  type IN (${folded}), ${rowKinds.text}, type IN ('response.completed', 'response.failed') AND arm != '', ${rowKinds.outcomeOfArm}, ${rowKinds.other})`;

const number = (expression: string) => `toFloat64(${expression})`;
const moment = (column: string) => number(`toUnixTimestamp64Milli(${column})`);
/** The same few come again and again: they are sent once for each page. */
const few = (expression: string) => `toLowCardinality(toString(${expression}))`;

/** Numbers alike are Float64: arrays of one kind are read fastest. */
const numberColumns = {
  kind: number('kind'),
  sequence: number('sequence'),
  eventIndex: number('event_index'),
  storedAtMs: moment('stored_at'),
  decidedAtMs: moment('decided_at'),
  propensity: 'propensity',
  stateSequence: number('state_sequence'),
  draw: 'draw',
  usdPerRequest: 'usd_per_request',
  latencyTargetMs: 'latency_target_ms',
  maxOutputTokens: number('max_output_tokens'),
  ...featureNumbers,
  revision: number('revision'),
  canary: number('canary'),
  trial: number('trial'),
  ...(Object.fromEntries(evidenceFields.map((field) => [field, number(evidenceColumns[field])])) as Record<EvidenceField, string>),
} as const;

/** What a row of another kind has there is not sent. */
const textColumns = {
  text: few(`if(kind = ${rowKinds.text}, ${eventText}, '')`),
  id: `if(kind = ${rowKinds.decision}, id, '')`,
  requestId: `if(kind IN (${rowKinds.decision}, ${rowKinds.reward}), request_id, '')`,
  conversation: few('conversation'),
  tenant: few('tenant'),
  arm: few('arm'),
  policyId: few('policy_id'),
  policyVersion: few('policy_version'),
  weights: few('toJSONString([weights.success, weights.streaming, weights.cache, weights.cost])'),
  previousArm: few('previous_arm'),
  needs: few('toJSONString(needs)'),
  requestedModel: few('requested_model'),
  arms: few('toJSONString(candidate_arms)'),
  ...featureTexts,
  cause: few('cause'),
  cells: few('toJSONString(cells)'),
} as const;

export type NumberName = keyof typeof numberColumns;
export type TextName = keyof typeof textColumns;

export const numberNames = Object.keys(numberColumns) as readonly NumberName[];
export const textNames = Object.keys(textColumns) as readonly TextName[];
/** Of a column in the result: no alias hides a column of the table. */
export const aliasOf = (name: string): string => `c_${name}`;

const selected = Object.entries({ ...numberColumns, ...textColumns, propensities: 'candidate_propensities' })
  .map(([name, expression]) => `${expression} AS ${aliasOf(name)}`)
  .join(', ');

/** Every message has a row, each event one of its own, in the order of the log. */
export const briefSql = (mine: string, low: number, high: number): string =>
  `WITH ${kindOfRow} AS kind SELECT ${selected} FROM ${tables.events} WHERE ${mine} AND sequence BETWEEN ${low} AND ${high} ORDER BY sequence, event_index`;
