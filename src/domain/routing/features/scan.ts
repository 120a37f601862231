import { digit, folds, isUnspaced, scriptCount, scriptOf } from './characters.ts';
import { beginsCode } from './code.ts';
import { fnvOffset, fnvStep } from './fnv.ts';
import { languagesAt, latinLanguages, phraseHashOf, signsAt, slotOf } from './lexicon.ts';
import { sign } from './signs.ts';
import { scanSymbol } from './symbols.ts';
import { firstUnit, loadUnits, maxUnits, units } from './units.ts';

/**
 * One pass over a sample of text. Each character is looked at once, with a bounded look ahead at a few of them, and hardly a string is made: some nanoseconds a character,
 * whatever the text. What is gathered are signs, not proofs.
 */
export type Scan = {
  words: number;
  /** Numbers in figures. */
  numbers: number;
  questionMarks: number;
  /** Signs of all words; of words that begin a sentence; of the first 12; of the last 12. Masks of `sign`. */
  anywhere: number;
  leading: number;
  early: number;
  late: number;
  /** Signs of the first word; those that lead the sentence under way; those that lead the last sentence that ended in a question mark. */
  first: number;
  sentence: number;
  question: number;
  /** Occurrences. */
  reasoningWords: number;
  demandingWords: number;
  stepWords: number;
  mathematicsWords: number;
  /** Shapes. */
  hasCode: boolean;
  hasFormula: boolean;
  hasBlank: boolean;
  /** Labels of items that were met: bit 0 for A), bit 1 for B), ...; bit 1 for 1), bit 2 for 2), ... */
  letterLabels: number;
  numberLabels: number;
  /** Lines that begin with a dash. */
  bulletItems: number;
  /** Words in other letters than ASCII by script, as `script` numbers them; words of the first 64 that are common in a language, as `latinLanguages` numbers them. */
  readonly scripts: Int32Array;
  readonly languages: Int32Array;
  /** Hashes of the first two words in their order, and of the last three; 0: no such word. */
  opening: readonly [number, number];
  ending: readonly [number, number, number];
  /** Number of the word that begins the sentence and the line under way; signs of the word before. */
  sentenceAt: number;
  lineAt: number;
  previousSigns: number;
  /** Places of the last backslash and behind the last SELECT; below 0: none. */
  backslashAt: number;
  selectAt: number;
};

const space = 0x20;
const maxAscii = 0x7f;

/** Scans the first `maxUnits` characters of a text. */
export const scanText = (text: string): Readonly<Scan> => {
  const scan = emptyScan();
  const end = loadUnits(text);
  for (let at = firstUnit; at < end;) {
    const unit = units[at] ?? 0;
    const fold = folds[unit] ?? 0;
    if (fold !== 0) at = scanWord(scan, text, at, fold);
    else {
      if (unit !== space) scanSymbol(scan, text, at);
      at += 1;
    }
  }
  return summed(scan);
};

/** Hashes of the words of the text under way: scratch memory, as in `units.ts`. */
const hashes = new Int32Array(maxUnits);

/** Takes the word that begins at `start` and answers where it ends: at a character of no word, or, in scripts without spaces, behind its letter. */
const scanWord = (scan: Scan, text: string, start: number, firstFold: number): number => {
  let hash = fnvStep(fnvOffset, firstFold);
  let end = start + 1;
  if (!isUnspaced(firstFold)) {
    // The line end behind the text ends its last word.
    for (let fold = folds[units[end] ?? 0] ?? 0; fold !== 0 && !isUnspaced(fold); fold = folds[units[end] ?? 0] ?? 0) {
      hash = fnvStep(hash, fold);
      end += 1;
    }
  }
  if (firstFold === digit) scan.numbers += 1;
  else if (firstFold > maxAscii) increment(scan.scripts, scriptOf(firstFold));
  takeWord(scan, text, start, end, hash);
  return end;
};

const takeWord = (scan: Scan, text: string, start: number, end: number, hash: number): void => {
  const index = scan.words;
  const signs = signsAt(slotOf(hash));
  if (signs !== 0 || (scan.previousSigns & sign.phrase) !== 0) {
    const phrase = phraseSignsOf(scan.previousSigns, hashAt(index - 1), hash);
    const leading = (scan.sentenceAt === index ? signs : 0) | (scan.sentenceAt === index - 1 ? phrase : 0);
    scan.leading |= leading;
    scan.sentence |= leading;
    takeSigns(scan, signs | phrase, text, start, end);
  }
  hashes[index] = hash;
  scan.words = index + 1;
  scan.previousSigns = signs;
};

const takeSigns = (scan: Scan, signs: number, text: string, start: number, end: number): void => {
  scan.anywhere |= signs;
  if ((signs & sign.reasoning) !== 0) scan.reasoningWords += 1;
  if ((signs & sign.demanding) !== 0) scan.demandingWords += 1;
  if ((signs & sign.step) !== 0) scan.stepWords += 1;
  if ((signs & sign.mathematics) !== 0) scan.mathematicsWords += 1;
  // After "please" or "can you" a sentence begins as far as we are concerned.
  if ((signs & sign.polite) !== 0) scan.sentenceAt = scan.words + 1;
  if ((signs & sign.tex) !== 0 && scan.backslashAt === start - 1) scan.hasFormula = true;
  if ((signs & sign.keyword) !== 0 && !scan.hasCode) scan.hasCode = beginsCode(scan, text, start - firstUnit, end - firstUnit);
};

const phraseSignsOf = (previousSigns: number, previousHash: number, hash: number): number =>
  (previousSigns & sign.phrase) === 0 ? 0 : signsAt(slotOf(phraseHashOf(previousHash, hash)));

const edgeWords = 12;
const languageWords = 64;

/** What depends on where the text ends. */
const summed = (scan: Scan): Scan => {
  const { words } = scan;
  scan.first = words === 0 ? 0 : signsAt(slotOf(hashAt(0)));
  scan.early = signsBetween(0, Math.min(words, edgeWords));
  scan.late = signsBetween(Math.max(0, words - edgeWords), words);
  for (let i = 0; i < words && i < languageWords; i++) countLanguages(scan, hashAt(i));
  scan.opening = [words > 0 ? hashAt(0) : 0, words > 1 ? hashAt(1) : 0];
  scan.ending = [words > 2 ? hashAt(words - 3) : 0, words > 1 ? hashAt(words - 2) : 0, words > 0 ? hashAt(words - 1) : 0];
  return scan;
};

const signsBetween = (from: number, to: number): number => {
  let all = 0;
  let previousSigns = 0;
  let previousHash = 0;
  for (let i = from; i < to; i++) {
    const hash = hashAt(i);
    const signs = signsAt(slotOf(hash));
    all |= signs | phraseSignsOf(previousSigns, previousHash, hash);
    previousSigns = signs;
    previousHash = hash;
  }
  return all;
};

const countLanguages = (scan: Scan, hash: number): void => {
  for (let rest = languagesAt(slotOf(hash)); rest !== 0; rest &= rest - 1) increment(scan.languages, 31 - Math.clz32(rest & -rest));
};

const hashAt = (index: number): number => hashes[index] ?? 0;

const increment = (counts: Int32Array, index: number): void => {
  counts[index] = (counts[index] ?? 0) + 1;
};

const emptyScan = (): Scan => ({
  words: 0,
  numbers: 0,
  questionMarks: 0,
  anywhere: 0,
  leading: 0,
  early: 0,
  late: 0,
  first: 0,
  sentence: 0,
  question: 0,
  reasoningWords: 0,
  demandingWords: 0,
  stepWords: 0,
  mathematicsWords: 0,
  hasCode: false,
  hasFormula: false,
  hasBlank: false,
  letterLabels: 0,
  numberLabels: 0,
  bulletItems: 0,
  scripts: new Int32Array(scriptCount),
  languages: new Int32Array(latinLanguages.length),
  opening: [0, 0],
  ending: [0, 0, 0],
  sentenceAt: 0,
  lineAt: 0,
  previousSigns: 0,
  backslashAt: -2,
  selectAt: -1,
});
