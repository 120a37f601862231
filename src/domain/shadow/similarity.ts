/**
 * How alike two answers are: of all character trigrams that occur in either, the share that occurs in both (Jaccard's index of the two sets, the resemblance of Broder, "On the
 * resemblance and containment of documents", 1997). Of the first 4,000 characters, in lower case, with each run of white space as one space and one space at either end. Sets, not
 * counts: a ruled line would outweigh all words. 1 for equal texts, 0 for texts that share no trigram. It sees wording, not truth: two right answers in other words are far apart.
 *
 * Null when one of the texts is empty. Symmetric. The name changes whenever a number could.
 */
export const similarityMethod = 'trigram-jaccard-v1';

export const similarityOf = (a: string, b: string): number | null => {
  const ofA = trigramsOf(a);
  const ofB = trigramsOf(b);
  if (ofA.size === 0 || ofB.size === 0) return null;
  const inBoth = [...ofA].filter((trigram) => ofB.has(trigram)).length;
  return inBoth / (ofA.size + ofB.size - inBoth);
};

/** What of a text is looked at; more need not be kept. */
export const similarityCharacters = 4_000;

const trigramsOf = (text: string): ReadonlySet<string> => {
  const words = text.slice(0, similarityCharacters).normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  const trigrams = new Set<string>();
  if (words === '') return trigrams;
  const padded = ` ${words} `;
  for (let i = 0; i + 3 <= padded.length; i++) trigrams.add(padded.slice(i, i + 3));
  return trigrams;
};
