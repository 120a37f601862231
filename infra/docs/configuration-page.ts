import { configNode, propertiesOf, type SchemaNode } from '../../src/config/schema-view.ts';
import { conventionalNames, fileVariable, secretVariables, variables } from '../../src/config/variables.ts';
import { code, generatedMark, table } from './markdown.ts';
import { rowsOf, type SchemaRow } from './schema-rows.ts';

/** docs/configuration.md, from the schema of switchyard.yaml. */
export const configurationPage = (): string => {
  const properties = Object.entries(configNode.properties ?? {});
  const isList = (node: SchemaNode) => node.type === 'array';
  return [
    generatedMark,
    '# Configuration',
    introduction,
    '## Keys',
    'Every limit of the yard is one of these. Units stand last in the names.',
    keyTable(properties.filter(([, node]) => !isList(node) && node.oneOf === undefined)),
    ...properties.flatMap(([name, node]) => (node.oneOf === undefined ? [] : kindsSection(name, node))),
    ...properties.filter(([, node]) => isList(node)).flatMap(([name, node]) => listSection(name, node)),
    '## Secrets',
    'From the environment alone. In the file they are refused.',
    table(
      ['variable', 'meaning'],
      [
        ...Object.entries(secretVariables).map(([name, meaning]) => [code(name), meaning]),
        ['the names in `models[].provider.apiKeyEnv`', 'key of that provider; missing ones are told before anything starts'],
      ],
    ),
    '',
  ].join('\n\n');
};

const introduction = [
  'The file is `switchyard.yaml` in the root of the clone, or the one that `--config <file>` or the environment variable',
  `\`${fileVariable}\` names. Each key outside of lists and of single kinds can be set by an environment variable, which wins over the file; where two names are`,
  'given, the first wins. A variable that is set to nothing counts as not set; one that begins with `SWITCHYARD_` and is none of these is an error.',
  'Relative folders begin at the folder of the file. All mistakes are told at once, with line, what was expected and what was seen, before anything starts.',
].join('\n');

const keyTable = (groups: readonly (readonly [string, SchemaNode])[]): string =>
  table(
    ['key', 'environment variable', 'value', 'default', 'meaning'],
    groups
      .flatMap(([name, node]) => rowsOf(node, name))
      .map((row) => [code(row.path), names(row.path), row.type, fallback(row), row.description]),
  );

const names = (path: string): string => {
  const derived = variables.find((variable) => variable.path.join('.') === path)?.name;
  return [derived, conventionalNames[path]].flatMap((name) => (name === undefined ? [] : [code(name)])).join('<br>');
};

const fallback = ({ default: value, required }: SchemaRow): string =>
  value === undefined ? (required ? 'required' : '') : code(JSON.stringify(value));

const kindsSection = (name: string, node: SchemaNode): readonly string[] => {
  const shared = propertiesOf(node) ?? {};
  const [first = node, ...others] = node.oneOf ?? [];
  const only = ({ properties = {}, ...kind }: SchemaNode, keep: (key: string) => boolean): SchemaNode => ({
    ...kind,
    properties: Object.fromEntries(Object.entries(properties).filter(([key]) => key !== 'kind' && keep(key))),
  });
  return [
    `## ${name}`,
    `Its keys depend on \`${name}.kind\`. Default ${code(JSON.stringify(node.default))}. Keys of every kind:`,
    keyTable([[name, only(first, (key) => key in shared)]]),
    ...[first, ...others].flatMap((kind) => [
      `### ${name} of kind ${String(kind.properties?.['kind']?.const)}`,
      `${String(kind.properties?.['kind']?.description)}.`,
      entryTable(only(kind, (key) => !(key in shared))),
    ]),
  ];
};

const listSection = (name: string, { items, minItems, maxItems, default: value }: SchemaNode): readonly string[] => {
  const entry = items ?? {};
  const { provider, ...rest } = entry.properties ?? {};
  const kinds = provider?.oneOf ?? [];
  return [
    `## ${name}`,
    `A list of ${minItems ?? 0} to ${maxItems ?? 'any number of'} entries${value === undefined ? '' : `; default ${code(JSON.stringify(value))}`}. Lists have no environment variables.`,
    entryTable({ ...entry, properties: rest }),
    ...kinds.flatMap((kind) => [
      `### ${name}[].provider of kind ${String(kind.properties?.['kind']?.const)}`,
      `${String(kind.properties?.['kind']?.description)}.`,
      entryTable(kind),
    ]),
  ];
};

const entryTable = (node: SchemaNode): string =>
  table(
    ['key', 'value', 'default', 'meaning'],
    rowsOf(node)
      .filter((row) => row.path !== 'kind')
      .map((row) => [code(row.path), row.type, fallback(row), row.description]),
  );
