import { describeNode, type SchemaNode } from '../../src/config/schema-view.ts';

/** One leaf of a schema: `candidates[].arm`, what may stand there, its default and what it means. */
export type SchemaRow = {
  readonly path: string;
  readonly type: string;
  readonly default: unknown;
  readonly required: boolean;
  readonly description: string;
};

/** All leaves below a node. Groups have no row of their own; a group's description is passed on to leaves that have none. */
export const rowsOf = (node: SchemaNode, path = '', inherited: Inherited = { required: true }): readonly SchemaRow[] => {
  const description = node.description ?? inherited.description ?? '';
  if (node.properties !== undefined) {
    const fallback = (node.default ?? inherited.default) as Readonly<Record<string, unknown>> | undefined;
    return Object.entries(node.properties).flatMap(([key, child]) =>
      rowsOf(child, path === '' ? key : `${path}.${key}`, {
        default: fallback?.[key],
        required: inherited.required && (node.required ?? []).includes(key),
        ...(description === '' ? {} : { description }),
      }),
    );
  }
  if (node.items?.properties !== undefined) return rowsOf(node.items, `${path}[]`, { required: true });
  return [{ path, type: describeNode(node), default: node.default ?? inherited.default, required: inherited.required, description }];
};

type Inherited = { readonly default?: unknown; readonly required: boolean; readonly description?: string };
