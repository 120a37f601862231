import { uniformNumbers } from './shuffle.ts';

/** Prompts for a demo without data: made up, and few enough that some come twice and are answered from the cache. */
const questions = [
  'What is the first thing to know about',
  'Explain to a child:',
  'Name three mistakes that beginners make with',
  'Write a haiku about',
  'What would change in a hundred years without',
  'Compare with its opposite:',
  'How would you measure the quality of',
  'Which book should I read about',
  'Give an example from daily life of',
  'What do experts disagree on about',
];
const topics = [
  'suspension bridges',
  'sourdough bread',
  'binary search',
  'the tides',
  'compound interest',
  'antibiotics',
  'chess openings',
  'railway signals',
  'photosynthesis',
  'public key cryptography',
  'bees',
  'the water cycle',
  'supply and demand',
  'recursion',
  'glaciers',
  'vaccination',
  'typography',
  'plate tectonics',
  'fermentation',
  'probability',
  'queues',
  'solar panels',
  'time zones',
  'harmony',
  'erosion',
];

export const madeUpPrompts = (count: number, seed: number): readonly string[] => {
  const uniform = uniformNumbers(seed);
  const pick = (list: readonly string[]) => list[Math.floor(uniform() * list.length)] ?? '';
  return Array.from({ length: count }, () => `${pick(questions)} ${pick(topics)}?`);
};
