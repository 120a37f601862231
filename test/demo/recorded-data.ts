/** Made-up rows in the form of ParetoBandit's: two models, of which the small one is the better on every third prompt. */
export const madeUpRows = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `${JSON.stringify({
        prompt: `Question ${i}: how long is a piece of string?`,
        source: 'made-up',
        difficulty: 'none',
        arms: { 'maker/small-1.0': { reward: i % 3 === 0 ? 1 : 0.5, cost: 0.001 }, 'maker/large-2.0': { reward: 0.8, cost: 0.01 } },
      })}\n`,
  ).join('');
