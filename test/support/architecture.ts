import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/**
 * Which part of src may know which. A part that is not named among those it may know is out of reach; `types` are parts of which only types may be
 * imported, so that nothing of them runs.
 */
type Part = { readonly mayKnow: readonly string[]; readonly types?: readonly string[] };

export const parts: Readonly<Record<string, Part>> = {
  foundation: { mayKnow: [] },
  events: { mayKnow: ['foundation'] },
  requests: { mayKnow: ['foundation', 'events'] },
  domain: { mayKnow: ['foundation', 'events'], types: ['requests'] },
  config: { mayKnow: ['foundation', 'events'] },
  'bus ports': { mayKnow: ['foundation', 'events'], types: ['config'] },
  bus: { mayKnow: ['foundation', 'events', 'bus ports', 'config'] },
  'providers port': { mayKnow: ['foundation', 'events', 'requests'] },
  providers: { mayKnow: ['foundation', 'events', 'requests', 'domain', 'providers port', 'config'] },
  actors: { mayKnow: ['foundation', 'events', 'requests', 'domain', 'bus ports', 'providers port'], types: ['config'] },
  projections: { mayKnow: ['foundation', 'events', 'domain', 'bus ports'], types: ['config'] },
  replay: { mayKnow: ['foundation', 'events', 'domain', 'bus ports', 'projections'], types: ['config'] },
  gateway: { mayKnow: ['foundation', 'events', 'requests', 'bus ports', 'config'] },
  processes: {
    mayKnow: [
      'foundation',
      'events',
      'requests',
      'domain',
      'config',
      'bus ports',
      'bus',
      'providers port',
      'providers',
      'actors',
      'projections',
      'gateway',
    ],
  },
  demo: {
    mayKnow: [
      'foundation',
      'events',
      'requests',
      'domain',
      'config',
      'bus ports',
      'bus',
      'providers port',
      'providers',
      'projections',
      'processes',
    ],
  },
};

/** `file` is relative to src, with slashes. The command line is the outermost part and may know all. */
export const partOf = (file: string): string => {
  if (file === 'providers/provider.ts') return 'providers port';
  if (/^bus\/[^/]+$/.test(file)) return 'bus ports';
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : 'foundation';
};

export type SourceFile = { readonly file: string; readonly text: string };

export const sourceFiles = (src: string): readonly SourceFile[] =>
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file: file.split(path.sep).join('/'), text: readFileSync(path.join(src, file), 'utf8') }));

/** Everything that one file does against the rules, one sentence each. */
export const faultsOf = ({ file, text }: SourceFile): readonly string[] => {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const from = partOf(file);
  const faults = importsOf(tree).flatMap((imported) => importFaults(file, from, imported));
  const visit = (node: ts.Node): void => {
    const fault = nodeFault(node, from);
    if (fault !== null) faults.push(`${file}: ${fault}`);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return faults;
};

type Imported = { readonly specifier: string; readonly typeOnly: boolean; readonly names: readonly string[] };

const importsOf = (tree: ts.SourceFile): readonly Imported[] => {
  const found: Imported[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const bindings = node.importClause?.namedBindings;
      const elements = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
      const allTypes = elements.length > 0 && elements.every((element) => element.isTypeOnly) && node.importClause?.name === undefined;
      found.push({
        specifier: node.moduleSpecifier.text,
        typeOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword || allTypes,
        names: elements.map((element) => (element.propertyName ?? element.name).text),
      });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly, names: [] });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      found.push({
        specifier: specifier !== undefined && ts.isStringLiteral(specifier) ? specifier.text : '(computed)',
        typeOnly: false,
        names: [],
      });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      found.push({ specifier: node.argument.literal.text, typeOnly: true, names: [] });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
};

/** The domain computes; of Node it may have hashes, which are functions of their input. */
const domainMayTake: ReadonlySet<string> = new Set(['createHash', 'createHmac', 'createSecretKey', 'hash']);

const importFaults = (file: string, from: string, { specifier, typeOnly, names }: Imported): string[] => {
  if (!specifier.startsWith('.')) {
    const pure = specifier === 'node:crypto' && names.length > 0 && names.every((name) => domainMayTake.has(name));
    return from === 'domain' && !pure ? [`${file}: the domain imports no package, and of node:crypto only hashes; here ${specifier}`] : [];
  }
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
  if (target.startsWith('../')) return from === 'cli' ? [] : [`${file}: ${specifier} leaves src`];
  const to = partOf(target);
  if (from === to || from === 'cli') return [];
  const rule = parts[from];
  if (rule === undefined) return [`${file}: "${from}" is a part without a rule; give it one in test/support/architecture.ts`];
  if (rule.mayKnow.includes(to) || (typeOnly && rule.types?.includes(to) === true)) return [];
  const onlyTypes = rule.types?.includes(to) === true ? ' but for types' : '';
  return [`${file}: ${from} may not import ${to}${onlyTypes} (${specifier})`];
};

/** Where a program meets the world outside of imports. `Date` with an argument only computes. */
const impureInDomain: Readonly<Record<string, readonly string[] | 'any'>> = {
  Date: ['now'],
  Math: ['random'],
  crypto: ['randomUUID', 'getRandomValues'],
  performance: 'any',
  process: 'any',
  console: 'any',
  fetch: 'any',
  setTimeout: 'any',
  setInterval: 'any',
  setImmediate: 'any',
  queueMicrotask: 'any',
};

const nodeFault = (node: ts.Node, from: string): string | null => {
  if (from !== 'config' && readsEnvironment(node)) return 'only src/config reads the environment';
  if (from !== 'domain') return null;
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments ?? []).length === 0)
    return 'the domain has no clock (new Date())';
  if (!ts.isIdentifier(node) || isName(node)) return null;
  const uses = Object.hasOwn(impureInDomain, node.text) ? impureInDomain[node.text] : undefined;
  if (uses === undefined) return null;
  if (uses === 'any') return `the domain does no I/O and has no clock (${node.text})`;
  const member = ts.isPropertyAccessExpression(node.parent) && node.parent.expression === node ? node.parent.name.text : '';
  return uses.includes(member) ? `the domain has no clock and draws no numbers (${node.text}.${member})` : null;
};

/** A word that is the name of a property or a declaration, not a use of the global of that name. */
const isName = (node: ts.Identifier): boolean =>
  (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) ||
  (ts.isPropertyAssignment(node.parent) && node.parent.name === node) ||
  ts.isPropertySignature(node.parent) ||
  ts.isTypeReferenceNode(node.parent);

const readsEnvironment = (node: ts.Node): boolean => {
  if (ts.isPropertyAccessExpression(node)) return isProcess(node.expression) && node.name.text === 'env';
  if (ts.isElementAccessExpression(node)) return isProcess(node.expression) && !/^['"](?!env['"])/.test(node.argumentExpression.getText());
  if (ts.isVariableDeclaration(node))
    return node.initializer !== undefined && isProcess(node.initializer) && !/^\{(?!.*\benv\b)/s.test(node.name.getText());
  if (ts.isImportSpecifier(node))
    return (
      (node.propertyName ?? node.name).text === 'env' &&
      /^['"](node:)?process['"]$/.test(node.parent.parent.parent.moduleSpecifier.getText())
    );
  return false;
};

const isProcess = (node: ts.Node): boolean => /^(globalThis\.)?process$/.test(node.getText());
