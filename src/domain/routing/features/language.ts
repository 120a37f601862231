import type { RequestLanguage } from '../../../events/schemas/features.ts';
import { script } from './characters.ts';
import { latinLanguages } from './lexicon.ts';
import type { Scan } from './scan.ts';

/** The language by the script of most words; for Latin script, the language whose common words are met most often, the first of equals. */
export const languageOf = (scan: Readonly<Scan>): RequestLanguage => {
  const count = (number: number): number => scan.scripts[number] ?? 0;
  let beyondLatin = 0;
  let most = 0;
  let language: RequestLanguage = 'unknown';
  for (const [number, name] of languageByScript) {
    beyondLatin += count(number);
    if (count(number) > most) [most, language] = [count(number), name];
  }
  const latin = scan.words - scan.numbers - beyondLatin;
  // Japanese mixes Chinese letters with its own.
  const asian = count(script.han) + count(script.kana);
  if (asian > 0 && asian >= latin) return 10 * count(script.kana) > asian ? 'ja' : 'zh';
  return most >= latin ? language : latinLanguageOf(scan);
};

const languageByScript: readonly (readonly [number, RequestLanguage])[] = [
  [script.cyrillic, 'ru'],
  [script.greek, 'el'],
  [script.hebrew, 'he'],
  [script.arabic, 'ar'],
  [script.devanagari, 'hi'],
  [script.thai, 'th'],
  [script.hangul, 'ko'],
  [script.han, 'zh'],
  [script.kana, 'ja'],
  [script.other, 'other'],
];

const latinLanguageOf = (scan: Readonly<Scan>): RequestLanguage => {
  let most = 0;
  let language: RequestLanguage = 'other';
  for (const [index, name] of latinLanguages.entries()) {
    const count = scan.languages[index] ?? 0;
    if (count > most) [most, language] = [count, name];
  }
  return language;
};
