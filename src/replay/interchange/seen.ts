const shownCharacters = 60;

/** A value as a message shows it: on one line, shortened, without what steers a terminal. */
export const seenIn = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return 'null';
  const text = JSON.stringify(value.slice(0, shownCharacters));
  return value.length > shownCharacters ? `${text}... (${value.length} characters)` : text;
};
