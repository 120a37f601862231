/** What a word or a phrase of two words may be a sign of; one bit each. The words themselves stand in `lexicon.ts`. */
export const sign = {
  /** how many, how much: asks for a number. */
  quantity: 1 << 0,
  /** total, each, per, difference: quantities are related. */
  amount: 1 << 1,
  /** two, three, dozen: a number in words. */
  number: 1 << 2,
  /** options, choices. */
  option: 1 << 3,
  explain: 1 << 4,
  /** fill in, complete the sentence. */
  blank: 1 << 5,
  /** python, SQL, regex: about programs and nothing else. */
  programming: 1 << 6,
  /** function, program, query: about programs when somebody is to write one. */
  program: 1 << 7,
  /** error, exception, crash. */
  defect: 1 << 8,
  /** write, create, give me: something is to be made. */
  write: 1 << 9,
  /** poem, story, slogan. */
  creative: 1 << 10,
  translate: 1 << 11,
  summarise: 1 << 12,
  extract: 1 << 13,
  rewrite: 1 << 14,
  order: 1 << 15,
  /** solve, equation, integral. */
  mathematics: 1 << 16,
  /** why, prove, analyse, step by step: an answer must be reasoned. */
  reasoning: 1 << 17,
  /** first, then, finally: there are several steps. */
  step: 1 << 18,
  /** who, what, which. */
  interrogative: 1 << 19,
  /** is, does, can: begins a question that yes or no answers. */
  polar: 1 << 20,
  /** why, how, describe, compare: asks for more than a fact. */
  open: 1 << 21,
  greeting: 1 << 22,
  /** please, can you, I want you to: what follows is as good as the begin of a sentence. */
  polite: 1 << 23,
  /** def, class, const, import: code if what follows has its shape. */
  keyword: 1 << 24,
  /** frac, sqrt: mathematics behind a backslash. */
  tex: 1 << 25,
  /** The first word of a phrase in the lexicon. */
  phrase: 1 << 26,
  /** prove, design, rigorous, distributed: work for a strong model. */
  demanding: 1 << 27,
} as const;
export type Sign = keyof typeof sign;
