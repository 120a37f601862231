import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationPage } from '../../infra/docs/configuration-page.ts';
import { eventsPage } from '../../infra/docs/events-page.ts';
import { rowsOf } from '../../infra/docs/schema-rows.ts';
import { configNode, schemaNode, type SchemaNode } from '../../src/config/schema-view.ts';
import { catalogue } from '../../src/events/index.ts';
import { storedEvent } from '../support/stored-events.ts';

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

it('docs/configuration.md is what `npm run docs` writes', () => {
  expect(page('configuration.md')).toBe(configurationPage());
});

it('docs/events.md is what `npm run docs` writes', () => {
  expect(page('events.md')).toBe(eventsPage((type) => storedEvent(type, catalogue[type].version)));
});

const withBranches = (node: SchemaNode): readonly SchemaNode[] => [
  node,
  ...[...(node.oneOf ?? []), ...Object.values(node.properties ?? {}), ...(node.items === undefined ? [] : [node.items])].flatMap(
    withBranches,
  ),
];

it('every key of the configuration says what it means', () => {
  const rows = [...rowsOf(configNode), ...withBranches(configNode).flatMap((node) => (node.oneOf ?? []).flatMap((kind) => rowsOf(kind)))];
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter(({ description }) => description === '').map(({ path }) => path)).toEqual([]);
});

it('every field of every event says what it means', () => {
  const rows = Object.values(catalogue).flatMap(({ type, data }) =>
    rowsOf(schemaNode(data)).map((row) => ({ ...row, path: `${type} ${row.path}` })),
  );
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter(({ description }) => description === '').map(({ path }) => path)).toEqual([]);
});
