import { describe, expect, it } from 'vitest';
import { extractFeatures } from '../../../../src/domain/routing/features/extract.ts';
import { requestKinds, type RequestKind } from '../../../../src/events/schemas/features.ts';
import { ask, tenant } from './ask.ts';

/** Requests in the words of different people; none was taken from a data set. */
const examples: Readonly<Record<RequestKind, readonly string[]>> = {
  'multiple-choice': [
    'Which planet is the largest?\nA) Mars\nB) Jupiter\nC) Venus',
    'Pick the right answer: the capital of Australia is (a) Sydney, (b) Canberra, (c) Perth',
    'Choose one option.\n1. red\n2. green\n3. blue',
    'Is the claim supported by the text?\nOptions:\n- yes\n- no',
    'Welche Stadt liegt am Rhein?\nA. Köln\nB. Berlin\nC. Leipzig',
    '¿Cuál es un mamífero?\nA) el delfín\nB) el tiburón',
  ],
  'multiple-choice-explained': [
    'Which gas do plants take in?\n(A) oxygen\n(B) carbon dioxide\nExplain your answer.',
    'A. mitosis\nB. meiosis\nWhich of these halves the chromosomes? Give the letter and explain why.',
    'Explain which option is right.\nOption 1: copper\nOption 2: wood',
    'Quelle ville est la plus grande ?\nA) Lyon\nB) Paris\nJustifiez votre réponse.',
    'Welche Zahl ist prim?\na) 9\nb) 11\nc) 15\nBegründe deine Wahl.',
  ],
  'fill-in': [
    'The opposite of hot is ___.',
    'She put the book on the _ because it was heavy.',
    'Fill in the missing verb: they have ____ home.',
    'Complete the sentence: the early bird catches',
    'Ergänze: Der Hund ___ im Garten.',
  ],
  'yes-no-question': [
    'Is the Pacific larger than the Atlantic?',
    'Paris is in France. Does that make it a European city?',
    'Can penguins fly?',
    'Ist Wien die Hauptstadt von Österreich?',
    'Est-ce que le musée ouvre le lundi ?',
    '¿Hay vida en Marte?',
  ],
  arithmetic: [
    'A baker sells 12 loaves for $3 each and 5 cakes for $20. How much does she take?',
    'If a train goes 60 miles in 45 minutes, what is its average speed?',
    'I have three apples and buy two more. How many do I have?',
    'Anna hat 12 Murmeln und verliert 5. Wie viele bleiben ihr?',
    'Paul a 8 billes, il en donne 3. Combien lui en reste-t-il ?',
    'Luis compra 4 cuadernos a 2 euros. ¿Cuántos euros paga?',
  ],
  mathematics: [
    'Solve x^2 - 5x + 6 = 0.',
    'Find the derivative of sin(x) at the origin.',
    'Evaluate \\frac{3}{4} of the unit circle.',
    'Prove that there are infinitely many primes',
    '((7 + 2) * 3) =',
    'Berechne die Ableitung von f.',
  ],
  'code-writing': [
    'Write a Python function that reverses a linked list.',
    'Please implement an LRU cache in TypeScript',
    'Can you create a bash script which renames my photos?',
    'Create a SQL query that lists the ten best customers.',
    'Schreibe eine Funktion, die Primzahlen ausgibt.',
    'Écris un programme qui trie une liste.',
  ],
  'code-question': [
    'Why does this fail?\n```js\nfoo()\n```',
    'def area(r):\n    return 3 * r',
    'What is the difference between var and let in JavaScript?',
    'My docker container exits at once, what can I do?',
    'What does SELECT name FROM users give back when the table is empty?',
  ],
  translation: [
    'Translate to German: the train is late.',
    'Please translate this letter for my aunt.',
    'Give me a French translation of "good evening".',
    'Übersetze ins Englische: Der Zug ist spät.',
    'Traduis cette phrase en anglais : il pleut.',
    'Traduce al inglés: hace frío.',
    '请翻译成英文：你好',
  ],
  summarisation: [
    'Summarize the following article in three sentences. The council met on Monday.',
    'TL;DR: the meeting was long and nothing came of it.',
    'Write a short summary of the plot of Hamlet.',
    'Could you summarise what was said?',
    'Fasse den folgenden Text zusammen: Am Montag war Sitzung.',
    'Résume ce texte : la réunion a eu lieu lundi.',
    'Resume el siguiente texto: hubo una reunión.',
  ],
  extraction: [
    'Extract all names and dates from this mail: Ann met Bob on Friday.',
    'Classify the sentiment of this review: the soup was cold.',
    'Label each ticket as billing or technical.',
    'Identify the entities in: Ada Lovelace lived in London.',
    'Klassifiziere diese Nachricht: Mein Paket ist nicht da.',
    'Extrais les noms de ce texte : Marie parle à Jean.',
  ],
  rewriting: [
    'Rewrite this mail so that it sounds friendlier: send me the file.',
    'Please proofread: me and him goes home.',
    'Make it better. Paraphrase the second paragraph.',
    'Korrigiere bitte diesen Satz: Er gehen nach Hause.',
    'Reformule cette phrase plus poliment : donne-moi ça.',
    'Corrige este texto: yo sabo mucho.',
  ],
  ordering: [
    'Sort these words alphabetically: pear fig apple',
    'Rank the following cities by population: Rome, Oslo, Paris.',
    'Please arrange the events from oldest to newest.',
    'Sortiere die Wörter: Birne, Apfel, Feige',
    'Ordena estas palabras: pera, higo',
  ],
  'creative-writing': [
    'Write a poem about the sea.',
    'Tell me a story with a dragon and a tax inspector',
    'Please compose a birthday speech for my father.',
    'Schreibe ein Gedicht über den Herbst.',
    'Écris un poème sur la lune.',
    'Escribe un cuento corto sobre un gato.',
  ],
  'short-question': [
    'Who painted the ceiling of the Sistine Chapel?',
    'what is your refund policy',
    'When did the Berlin wall fall?',
    'Wer hat das Telefon erfunden?',
    'Où se trouve la gare ?',
    '¿Quién escribió el Quijote?',
  ],
  'open-question': [
    'Why do leaves change colour in autumn?',
    'How does a heat pump work?',
    'Describe the life of a medieval farmer.',
    'Compare the French and the American revolution.',
    'Warum ist der Himmel blau?',
    'Pourquoi le ciel est-il bleu ?',
    '¿Por qué es azul el cielo?',
  ],
  conversation: ['Hello there!', 'Thanks, that helped a lot.', 'Hi, I am back.', 'Danke dir!', 'Bonjour', 'Hola amigo'],
  other: ['The weather in Lisbon.', 'lorem ipsum dolor sit amet', '', '👋👋👋', 'asdf qwer'],
};

describe('the kind of a request', () => {
  it.each(requestKinds.flatMap((kind) => examples[kind].map((text) => [kind, text] as const)))('%s: %s', (kind, text) => {
    expect(ask(text).kind).toBe(kind);
  });

  it('names a follow-up without signs of its own a conversation', () => {
    const turn = (content: string) => ({ role: 'user', content });
    expect(extractFeatures({ messages: [turn('The second one.')], parameters: {}, tenant }).kind).toBe('other');
    const later = [turn('Which phone?'), { role: 'assistant', content: 'This or that.' }, turn('The second one.')];
    expect(extractFeatures({ messages: later, parameters: {}, tenant }).kind).toBe('conversation');
  });

  it('is not led astray by words that only occur', () => {
    expect(ask('Tom can write a poem in 20 minutes. How many can he write in 2 hours?').kind).toBe('arithmetic');
    expect(ask('What is the function of the liver?').kind).toBe('short-question');
    expect(ask('Who translated the Iliad into German?').kind).toBe('short-question');
    expect(ask('for _ in range(3):\n    print(1);').kind).not.toBe('fill-in');
    expect(ask('Vitamin A. is good.').kind).toBe('other');
    expect(ask('Can you tell me who painted it?').kind).toBe('short-question');
    expect(ask('A: good morning\nB: good evening').kind).toBe('conversation');
    expect(ask('这段Python代码为什么很慢？').kind).toBe('code-question');
  });
});
