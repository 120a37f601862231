import type { RequestKind } from '../../../events/schemas/features.ts';
import type { Scan } from './scan.ts';
import { sign } from './signs.ts';

/**
 * Type and category of a request: the first rule that holds. The shape of a choice comes first, since a question with options is answered alike whatever it is about; then what
 * an imperative asks for; then quantities and formulas; then the form of the question.
 */
export const kindOf = (scan: Readonly<Scan>, characters: number, depth: number): RequestKind => {
  const offered = choiceOf(scan);
  if (offered !== null) return offered;
  const task = taskOf(scan);
  if (task !== null) return task;
  const calculation = calculationOf(scan);
  if (calculation !== null) return calculation;
  return formOf(scan, characters, depth);
};

const choiceOf = (scan: Readonly<Scan>): RequestKind | null => {
  const lettered = isSeries(scan.letterLabels);
  const listed = lettered || (has(scan.anywhere, sign.option) && (isSeries(scan.numberLabels) || scan.bulletItems >= 2));
  if (scan.hasBlank && !scan.hasCode && !lettered) return 'fill-in';
  if (!listed) return has(scan.early | scan.late, sign.blank) && !has(scan.leading, sign.write) ? 'fill-in' : null;
  return has(scan.leading | scan.late, sign.explain) ? 'multiple-choice-explained' : 'multiple-choice';
};

/** Whether two labels follow each other. */
const isSeries = (labels: number): boolean => (labels & (labels >>> 1)) !== 0;

/** What is to be made or done. A verb counts where it begins a sentence, a noun ("a summary of") among the first words. */
const taskOf = (scan: Readonly<Scan>): RequestKind | null => {
  const { leading } = scan;
  const asked = leading | (has(leading, sign.write) ? scan.early : 0);
  if (has(asked, sign.translate)) return 'translation';
  if (has(asked, sign.summarise)) return 'summarisation';
  const makes = has(leading, sign.write);
  if (makes && has(scan.anywhere, sign.creative) && !scan.hasCode && !has(scan.early, sign.programming | sign.program))
    return 'creative-writing';
  if (makes && has(scan.anywhere, sign.programming | sign.program)) return 'code-writing';
  if (scan.hasCode || has(scan.anywhere, sign.programming)) return 'code-question';
  if (has(asked, sign.rewrite)) return 'rewriting';
  if (has(asked, sign.order)) return 'ordering';
  if (has(asked, sign.extract)) return 'extraction';
  return null;
};

const calculationOf = (scan: Readonly<Scan>): RequestKind | null => {
  const numbers = scan.numbers + (has(scan.anywhere, sign.number) ? 1 : 0);
  if (has(scan.anywhere, sign.quantity) && numbers >= 1) return 'arithmetic';
  if (scan.hasFormula || scan.mathematicsWords > 0) return 'mathematics';
  return scan.numbers >= 2 && scan.questionMarks > 0 && has(scan.anywhere, sign.amount) ? 'arithmetic' : null;
};

const shortQuestionCharacters = 150;

const formOf = (scan: Readonly<Scan>, characters: number, depth: number): RequestKind => {
  const asks = scan.questionMarks > 0 ? scan.question : scan.first;
  if (has(asks, sign.polar) && !has(asks, sign.polite)) return 'yes-no-question';
  if (has(scan.leading, sign.open)) return 'open-question';
  if (scan.questionMarks > 0 || has(scan.first, sign.interrogative))
    return characters <= shortQuestionCharacters ? 'short-question' : 'open-question';
  if (has(scan.leading, sign.write)) return 'creative-writing';
  return has(scan.early, sign.greeting) || depth > 1 ? 'conversation' : 'other';
};

const has = (signs: number, wanted: number): boolean => (signs & wanted) !== 0;
