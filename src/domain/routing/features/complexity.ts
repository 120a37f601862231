import type { Scan } from './scan.ts';

/**
 * How demanding a request looks, in whole thousandths of one: the sum of these, at most 1.
 *
 *   length       40 for each doubling of the last message beyond 100 characters   at most 240
 *   code         180
 *   mathematics  140 for a formula, or 50 for each mathematical word              at most 140
 *   demand       80 for each word of demanding work (prove, design, rigorous)     at most 400
 *   reasoning    50 for each word that asks for reasons                           at most 200
 *   steps        30 for each marker of a step, numbered item or further question  at most 150
 *   depth        20 for each message of the user before the last                  at most 90
 *
 * The weights are round numbers chosen by judgement, not fitted: a sign that a rule can use before anything is learned.
 */
export const complexityOf = (scan: Readonly<Scan>, characters: number, depth: number): number => {
  const length = 40 * Math.max(0, Math.log2((characters + 1) / 100));
  const mathematics = scan.hasFormula ? 140 : 50 * scan.mathematicsWords;
  const steps = 30 * (scan.stepWords + bitCount(scan.numberLabels) + Math.max(0, scan.questionMarks - 1));
  const thousandths =
    Math.min(240, Math.floor(length)) +
    (scan.hasCode ? 180 : 0) +
    Math.min(140, mathematics) +
    Math.min(400, 80 * scan.demandingWords) +
    Math.min(200, 50 * scan.reasoningWords) +
    Math.min(150, steps) +
    Math.min(90, 20 * Math.max(0, depth - 1));
  return Math.min(1_000, thousandths) / 1_000;
};

const bitCount = (bits: number): number => {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
};
