import { expect, it } from 'vitest';
import { policySpecSchema } from '../../../../src/events/schemas/policy.ts';
import { ask } from './ask.ts';

/** Made up for this test: what a small model answers well, and what it does not. The default threshold has to tell most of them apart. */
const simple = [
  'What is the capital of Australia?',
  'Translate to French: good morning, how are you?',
  'Complete the sentence: the quick brown fox ...',
  'Write a haiku about autumn leaves.',
  'How many ounces are in a pound?',
  'Give me three synonyms for "happy".',
  'Is a tomato a fruit or a vegetable?',
  'What time is it in Tokyo when it is noon in London?',
  'Fix the spelling: I recieved teh parcel yesterday.',
  'What is the time complexity of binary search?',
  'Convert 72 degrees Fahrenheit to Celsius.',
  'Summarize this in one sentence: The meeting was moved from Tuesday to Thursday because the room was taken.',
  'Why is the sky blue?',
  'Write a Python function that reverses a string.',
  'Implement FizzBuzz in JavaScript.',
  'First boil the water, then add the pasta. How long does it take?',
  `Summarize in one line: ${'The council met on Monday and spoke about the new playground, the bins and the opening hours of the library. '.repeat(6)}`,
  'Write a polite email that declines an invitation to dinner.',
  'Sort alphabetically: pear, apple, fig, banana.',
  'If I buy 3 apples at 2 dollars each, how much do I pay?',
  'Analyze the sentiment of this tweet and answer with one word: "Great service, will come again!"',
  'What is the difference between "affect" and "effect"?',
  'Is the sentiment of this review positive or negative? "The soup was cold and the waiter was rude."',
  'Wie heißt die Hauptstadt von Portugal?',
  'Explain in two sentences what a noun is.',
  'Rewrite more politely: send me the file now.',
  'How do I center a div in CSS?',
  'Which planet is the largest in the solar system?',
  '¿Cuántos días tiene febrero en un año bisiesto?',
  'Extract the date from: "Your appointment is on 3 March at 10:00."',
];
const demanding = [
  'Design a distributed consensus protocol tolerant to Byzantine faults, prove its safety and liveness, and give a complete Rust implementation.',
  'Prove rigorously that there are infinitely many primes in three different ways, and write Python that checks each of the three proofs for small cases.',
  'Derive the Black-Scholes equation from first principles, state every assumption, and explain where it fails in practice.',
  'Design the database schema and the API of a multi-tenant booking system, justify each trade-off, and show how you would migrate live data without downtime.',
  'Analyse the concurrency bugs that a lock-free queue with hazard pointers may have, and prove that your fix is linearizable.',
  'Compare the fiscal responses of five countries to the 2008 crisis, evaluate their long-term effects, and argue which assumptions the literature gets wrong.',
  'Implement a B+ tree with concurrent readers and writers in C++, analyse its complexity, and discuss how you would test it for edge cases.',
  'Optimise this pipeline: we ingest 2 TB a day, latency must stay below a second and costs below 500 dollars. Evaluate at least three architectures and justify your choice.',
  'Given a stochastic differential equation with state-dependent noise, derive the Fokker-Planck equation and analyse the stability of its stationary solutions.',
  'Develop a go-to-market strategy for a medical device start-up in Europe: analyse the regulatory requirements, estimate the costs, and evaluate the risks.',
  'Refactor a 2,000-line payment module into testable parts without changing behaviour: describe the steps, the invariants you would verify, and the failure modes of each step.',
  'Critique the methodology of a study that claims a causal effect of screen time on sleep from survey data, and design a better one.',
  'Formalise the rules of this board game as a Markov decision process and derive an optimal policy for the endgame.',
  'Explain step by step how a compiler optimises tail calls, then implement a small compiler with that optimisation and prove that it preserves semantics.',
  'Why does Raft need a no-op entry at the start of a term? Prove the counterexample without it, then design a test that finds the bug.',
  'Diagnose why our Kubernetes service loses 0.1 % of its requests during deployments; consider DNS, connection draining and probes, and propose a verified fix.',
  'Write a detailed threat model for a password manager, analyse each attack, and design mitigations with their trade-offs.',
  'Solve the integral of x^2 e^(-x^2) over the real line, prove convergence, and generalise the result to arbitrary even powers.',
  'Evaluate the legal implications of training models on copyrighted text in the EU and the US, and argue both sides thoroughly.',
  'Design an experiment to estimate the causal effect of a price change with network effects, derive the estimator and its variance.',
  'Entwirf ein verteiltes Sperrverfahren, beweise, dass es keine Verklemmung gibt, und implementiere es vollständig in Go.',
  'Conçois une architecture tolérante aux pannes pour un service de paiement, démontre ses garanties et analyse les compromis.',
  'Diseña un sistema de recomendación, justifica la arquitectura y analiza la complejidad de cada algoritmo.',
  'Reconcile special relativity with an apparently faster-than-light galaxy recession: derive the relevant equations and analyse the common misconceptions.',
  'Simulate an M/M/c queue, derive its waiting-time distribution analytically, and verify that the two agree; discuss the limitations.',
  'Build a complete type checker for a lambda calculus with records and subtyping, and prove soundness.',
  'Synthesise the arguments of Rawls and Nozick on distributive justice, critique both rigorously, and defend a position of your own.',
  'Given these constraints, formulate a mixed-integer program for crew scheduling, explain why each constraint is necessary, and analyse how to decompose it.',
  'Plan the migration of a monolith to services over 18 months: requirements, milestones, risks, and an analysis of what should not be migrated.',
  'Prove or disprove: every bounded sequence of harmonic functions has a uniformly convergent subsequence on compact sets. Justify each step.',
];

const { threshold } = policySpecSchema.parse({ kind: 'complexity', simple: 'small', complex: 'large' }) as { readonly threshold: number };
const complexityOf = (prompt: string) => ask(prompt).complexity;

it('of made-up requests tells those for a small model from those for a strong one, at the default threshold', () => {
  expect([simple.length, demanding.length]).toEqual([30, 30]);
  const mistaken = {
    simple: simple.filter((prompt) => complexityOf(prompt) >= threshold),
    demanding: demanding.filter((prompt) => complexityOf(prompt) < threshold),
  };
  expect(mistaken.simple.length, mistaken.simple.join('\n')).toBeLessThanOrEqual(3);
  expect(mistaken.demanding.length, mistaken.demanding.join('\n')).toBeLessThanOrEqual(3);
});

it('grows with what is asked for, and ends at 1', () => {
  const one = complexityOf('Prove that the square root of 2 is irrational.');
  const more = complexityOf(
    'Prove rigorously that the square root of 2 is irrational, derive a general theorem, and analyse its assumptions.',
  );
  expect(one).toBeGreaterThan(complexityOf('What is the square root of 2?'));
  expect(more).toBeGreaterThan(one);
  const all = `${demanding.join('\n')} 1) a 2) b 3) c 4) d 5) e first then finally? why? why? $\\frac{1}{2}$\n\`\`\`ts\nconst a = 1;\n\`\`\``;
  expect(complexityOf(all)).toBeLessThanOrEqual(1);
  expect(complexityOf(all)).toBeGreaterThan(0.8);
});
