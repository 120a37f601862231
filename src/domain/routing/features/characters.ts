/**
 * What a UTF-16 code unit means to the scanner. Tables are made once from Unicode's properties, since a look-up costs a fraction of a branch. Characters beyond the basic
 * plane, such as emoji, are no part of words.
 */
export const digit = 0x30;
const newline = 0x0a;

const unitCount = 65_536;

const makeFolds = (): Uint16Array => {
  const made = new Uint16Array(unitCount);
  const all = Array.from({ length: unitCount }, (_, unit) => String.fromCharCode(unit)).join('');
  for (const { index, 0: run } of all.matchAll(/[\p{L}\p{M}]+/gu)) {
    for (let i = 0; i < run.length; i++) {
      const lower = run.charAt(i).toLowerCase();
      made[index + i] = lower.length === 1 ? lower.charCodeAt(0) : index + i;
    }
  }
  for (const { index, 0: run } of all.matchAll(/\p{Nd}+/gu)) made.fill(digit, index, index + run.length);
  return made;
};

/** By UTF-16 unit: its lower-case form as part of a word; every digit is `0`; 0: not part of a word. */
export const folds = makeFolds();
export const foldOf = (unit: number): number => folds[unit] ?? 0;

/** Scripts whose words are counted to tell languages. */
export const script = {
  latin: 0,
  cyrillic: 1,
  greek: 2,
  hebrew: 3,
  arabic: 4,
  devanagari: 5,
  thai: 6,
  han: 7,
  kana: 8,
  hangul: 9,
  other: 10,
} as const;
export const scriptCount = 11;

/** Script of a letter, given its code. */
export const scriptOf = (code: number): number => {
  if (code < 0x250 || (code >= 0x1e00 && code < 0x1f00)) return script.latin;
  if (code < 0x400) return code >= 0x370 ? script.greek : script.other;
  if (code < 0x530) return script.cyrillic;
  if (code >= 0x590 && code < 0x600) return script.hebrew;
  if (code >= 0x600 && code < 0x780) return script.arabic;
  if (code >= 0x900 && code < 0x980) return script.devanagari;
  if (code >= 0xe00 && code < 0xe80) return script.thai;
  if (code >= 0x3040 && code < 0x3100) return script.kana;
  if (code >= 0x3400 && code < 0xa000) return script.han;
  return code >= 0xac00 && code < 0xd7b0 ? script.hangul : script.other;
};

/** Scripts written without spaces: each of their letters counts as a word. */
export const isUnspaced = (code: number): boolean => code >= 0x3040 && code < 0xa000;

export const isBlankSpace = (code: number): boolean => code === 0x20 || code === newline || code === 0x09 || code === 0x0d;
