/**
 * Markup by tagged template. What is put into it is text and is escaped, unless it is itself markup from here: names, files and tenants come from outside.
 */
export type Html = { readonly markup: string };

type Part = Html | string | number | null | readonly Part[];

/** A null leaves nothing; lists are joined. Attribute values stand in double quotes. */
export const html = (literals: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  verbatim(literals.reduce((markup, literal, i) => markup + markupOf(parts[i - 1] ?? null) + literal));

/** Markup that was made elsewhere and is known to be sound. */
export const verbatim = (markup: string): Html => ({ markup });

const markupOf = (part: Part): string => {
  if (part === null) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escaped(part);
  return 'markup' in part ? part.markup : part.map(markupOf).join('');
};

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text: string): string => presentable(text).replace(/[&<>"']/g, (character) => escapes[character] ?? '');

// Control characters but tab and line feed, and the marks that reverse the direction of writing: a name could pass for another.
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** Text that shows all it holds. */
export const presentable = (text: string): string => text.toWellFormed().replace(unprintable, '\u00b7');
