import { foldOf, isBlankSpace } from './characters.ts';
import type { Scan } from './scan.ts';
import { sign } from './signs.ts';
import { firstUnit, units } from './units.ts';

/** Takes the character at `at`, which belongs to no word. It looks at most at three characters to either side. */
export const scanSymbol = (scan: Scan, text: string, at: number): void => {
  const taker = takers[takerOfSymbol[unitAt(at)] ?? 0];
  if (taker !== undefined) taker(scan, at, text);
};

type Taker = (scan: Scan, at: number, text: string) => void;

const [letterA, letterZ, hyphen, space] = [0x61, 0x7a, 0x2d, 0x20];
const [openParenthesis, asterisk, underscore, semicolon, greaterThan] = [0x28, 0x2a, 0x5f, 0x3b, 0x3e];
const [backtick, slash, dollar] = [0x60, 0x2f, 0x24];

const unitAt = (at: number): number => units[at] ?? 0;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isLetter = (code: number): boolean => foldOf(code) >= letterA;
const isWordOrUnderscore = (code: number): boolean => code === underscore || foldOf(code) !== 0;

const beginSentence = (scan: Scan): void => {
  scan.sentenceAt = scan.words;
  scan.sentence = 0;
};

const takeLineEnd: Taker = (scan) => {
  scan.lineAt = scan.words;
  beginSentence(scan);
};

const takeQuestionMark: Taker = (scan) => {
  scan.questionMarks += 1;
  scan.question = scan.sentence;
  beginSentence(scan);
};

const takePoint: Taker = (scan, at) => {
  takeLabel(scan, at);
  // A point within a number or a name ends no sentence.
  if (foldOf(unitAt(at + 1)) === 0) beginSentence(scan);
};

const takeColon: Taker = (scan, at) => {
  // "A: hello B: hi" is a dialogue where no options are spoken of.
  if ((scan.anywhere & sign.option) !== 0) takeLabel(scan, at);
  beginSentence(scan);
};

const takeClosingParenthesis: Taker = (scan, at) => {
  if (unitAt(at + 1) === semicolon) scan.hasCode = true;
  takeLabel(scan, at);
};

/** Notes the label of `A)`, `(B)`, `C.` or `1)`, `(2)`, `3:`. Before it: blank space, a parenthesis or an asterisk. */
const takeLabel = (scan: Scan, at: number): void => {
  const before = unitAt(at - 2);
  if (!isBlankSpace(before) && before !== openParenthesis && before !== asterisk) return;
  const label = unitAt(at - 1);
  const letter = foldOf(label);
  if (isDigit(label)) scan.numberLabels |= 1 << (label & 0xf);
  else if (letter >= letterA && letter <= letterZ) scan.letterLabels |= 1 << (letter - letterA);
};

const takeBullet: Taker = (scan, at) => {
  if (scan.lineAt === scan.words && unitAt(at + 1) === space) scan.bulletItems += 1;
};

/** A gap to fill in: an underscore that stands alone, or three of them. */
const takeUnderscore: Taker = (scan, at) => {
  if (isWordOrUnderscore(unitAt(at + 1))) return;
  const isThird = unitAt(at - 1) === underscore && unitAt(at - 2) === underscore;
  if (isThird || !isWordOrUnderscore(unitAt(at - 1))) scan.hasBlank = true;
};

const takeBacktick: Taker = (scan, at) => {
  if (unitAt(at + 1) === backtick && unitAt(at + 2) === backtick) scan.hasCode = true;
};

const takeHash: Taker = (scan, at, text) => {
  if (text.startsWith('include', at - firstUnit + 1)) scan.hasCode = true;
};

const takeBackslash: Taker = (scan, at) => {
  scan.backslashAt = at;
};

const takeDollar: Taker = (scan, at) => {
  if (unitAt(at + 1) === dollar) scan.hasFormula = true;
};

const takeEquals: Taker = (scan, at) => {
  if (unitAt(at + 1) === greaterThan) scan.hasCode = true;
  takeBinding(scan, at);
};

const takeLessThan: Taker = (scan, at) => {
  if (unitAt(at + 1) === slash && isLetter(unitAt(at + 2))) scan.hasCode = true;
  takeOperator(scan, at);
};

/** `3 * 4`: two numbers with an operator between, at most one space beside it. */
const takeOperator = (scan: Scan, at: number): void => {
  if (isDigit(unitAt(beside(at, -1))) && isDigit(unitAt(beside(at, 1)))) scan.hasFormula = true;
};

/** `x = -2`, `n^2`, `3 = 3`: a single letter or a number, then a number, which may have a sign. */
const takeBinding = (scan: Scan, at: number): void => {
  const leftAt = beside(at, -1);
  const left = unitAt(leftAt);
  const rightAt = beside(at, 1);
  const right = unitAt(rightAt) === hyphen ? unitAt(rightAt + 1) : unitAt(rightAt);
  if (isDigit(right) && (isDigit(left) || (isLetter(left) && foldOf(unitAt(leftAt - 1)) === 0))) scan.hasFormula = true;
};

const takeFormula: Taker = (scan) => {
  scan.hasFormula = true;
};

/** The place next to `at` in a direction, or the one after it where a space stands between. */
const beside = (at: number, direction: 1 | -1): number => (unitAt(at + direction) === space ? at + 2 * direction : at + direction);

const takersBySymbols: readonly (readonly [symbols: string, taker: Taker])[] = [
  ['\n', takeLineEnd],
  ['?？؟', takeQuestionMark],
  ['.', takePoint],
  [':', takeColon],
  ['!¿！：。', beginSentence],
  [')', takeClosingParenthesis],
  ['-•', takeBullet],
  ['_', takeUnderscore],
  ['`', takeBacktick],
  ['#', takeHash],
  ['\\', takeBackslash],
  ['$', takeDollar],
  ['=', takeEquals],
  ['^', takeBinding],
  ['<', takeLessThan],
  ['*+/>', takeOperator],
  ['±×÷∂∏∑√∞∫≈≠≤≥', takeFormula],
];

// Number 0 is left free for characters that mean nothing here.
const takers: readonly (Taker | undefined)[] = [undefined, ...takersBySymbols.map(([, taker]) => taker)];
const takerOfSymbol = new Uint8Array(65_536);
for (const [index, [symbols]] of takersBySymbols.entries()) {
  for (const symbol of symbols) takerOfSymbol[symbol.charCodeAt(0)] = index + 1;
}
