import { defaultTreeAdapter, parse, type DefaultTreeAdapterTypes, type ParserError } from 'parse5';

type Element = DefaultTreeAdapterTypes.Element;
type Node = DefaultTreeAdapterTypes.Node;

/** A page as a browser reads it, and everything about it that a browser would only pass over in silence. */
export const parsedPage = (text: string) => {
  const errors: string[] = [];
  const tree = parse(text, {
    onParseError: ({ code, startLine, startCol }: ParserError) => {
      errors.push(`${code} at ${startLine}:${startCol}`);
    },
  });
  const elements: Element[] = [];
  const visit = (node: Node): void => {
    if (defaultTreeAdapter.isElementNode(node)) elements.push(node);
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  visit(tree);
  return { errors, elements, named: (...names: readonly string[]) => elements.filter(({ tagName }) => names.includes(tagName)) };
};

export const attribute = (element: Element, name: string): string | null => element.attrs.find((own) => own.name === name)?.value ?? null;

/** As a reader sees it: spaces are one. */
export const textOf = (node: Node): string => rawTextOf(node).replace(/\s+/g, ' ').trim();

export const rawTextOf = (node: Node): string => {
  if (defaultTreeAdapter.isTextNode(node)) return node.value;
  return 'childNodes' in node ? node.childNodes.map(rawTextOf).join('') : '';
};
