import { schemaNode } from '../../src/config/schema-view.ts';
import { catalogue, idempotencyIds, subjects, systemTenant, type EventType, type Tenant } from '../../src/events/index.ts';
import { envelopeSchema } from '../../src/events/envelope.ts';
import { code, generatedMark, table } from './markdown.ts';
import { rowsOf } from './schema-rows.ts';

/** docs/events.md, from the catalogue. `example` gives a stored event of each type in its present version. */
export const eventsPage = (example: (type: EventType) => unknown): string =>
  [
    generatedMark,
    '# Events',
    introduction,
    table(
      ['event', 'version', 'what happened'],
      types.map((type) => [`[${type}](#${type.replace('.', '')})`, String(catalogue[type].version), catalogue[type].summary]),
    ),
    '## The envelope',
    'CloudEvents 1.0, JSON format. The same attributes on every event:',
    fields(schemaNode(envelopeSchema)),
    ...types.flatMap((type) => section(type, example(type))),
    '',
  ].join('\n\n');

const types = Object.keys(catalogue) as EventType[];

const introduction = [
  'What the log holds, and with it everything that the yard knows. An event is never edited: a new version of its data gets a new number, and old ones are raised by',
  'an upcaster while they are read. Prompt and answer text are in no event.',
  '',
  'Several events that were decided together are one message, a CloudEvents batch (`application/cloudevents-batch+json`); it has the subject of its first event.',
  'A message is appended once for each idempotency id, for as long as `log.duplicateWindowSeconds` says.',
].join('\n');

const tenant = '<tenant>' as Tenant;
const request = '<request>';
const outcome = idempotencyIds.outcome(tenant, request);
const policyChange = idempotencyIds.policyChange(0).replace(/0$/, '<change>');

/** Under which idempotency id the message that holds the event is appended. */
const appendedUnder: Readonly<Record<EventType, readonly string[]>> = {
  'cache.hit': [outcome],
  'cache.stored': [outcome],
  'route.decided': [idempotencyIds.decision(tenant, request)],
  'policy.activated': [policyChange],
  'policy.canary_started': [policyChange],
  'policy.canary_ended': [policyChange],
  'budget.paced': [idempotencyIds.pace(tenant, 0).replace(/0$/, '<step>')],
  'response.completed': [outcome],
  'response.failed': [outcome],
  'reward.recorded': [`${outcome} (revision 0)`, idempotencyIds.revision(tenant, request, 0).replace(/0$/, '<revision>')],
  'feedback.received': [idempotencyIds.feedback(tenant, request, '<feedback>'), `${outcome} (of a recorded model)`],
  'feedback.rejected': [idempotencyIds.rejection(tenant, '<feedback event>')],
  'shadow.completed': [idempotencyIds.shadow(tenant, request)],
  'shadow.granted': [idempotencyIds.shadowBlock(0, 0).replace('0:0', '<window start, ms>:<block>')],
  'shadow.skipped': [idempotencyIds.shadowSkips(tenant, '<process>', 0).replace(/0$/, '<count>')],
};

const section = (type: EventType, example: unknown): readonly string[] => {
  const { version, summary, data } = catalogue[type];
  const owner = type.startsWith('policy.') || type === 'shadow.granted' ? systemTenant : tenant;
  return [
    `## ${type}`,
    summary,
    [
      `- version ${version}`,
      `- subject ${code(subjects.event({ tenant: owner, type }))}`,
      `- idempotency id ${appendedUnder[type].map(code).join(' or ')}`,
    ].join('\n'),
    fields(schemaNode(data)),
    ['```json', JSON.stringify(example, null, 2), '```'].join('\n'),
  ];
};

const fields = (node: ReturnType<typeof schemaNode>): string =>
  table(
    ['field', 'value', 'meaning'],
    rowsOf(node).map((row) => [code(row.path), row.required ? row.type : `${row.type}, or absent`, row.description]),
  );
