/** The first whole number of low..high for which the question is answered with yes, when it stays yes from there on and is yes at `high`. */
export const firstWhere = async (low: number, high: number, question: (candidate: number) => Promise<boolean>): Promise<number> => {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (await question(middle)) to = middle;
    else from = middle + 1;
  }
  return to;
};
