import { describe, expect, it } from 'vitest';
import { ask } from './ask.ts';

describe('the language of a request', () => {
  it.each([
    ['en', 'What is the fastest way to learn a language?'],
    ['en', 'Write a function that sorts a list.'],
    ['de', 'Was ist der schnellste Weg, eine Sprache zu lernen?'],
    ['de', 'Übersetze bitte diesen Satz'],
    ['fr', 'Quelle est la meilleure façon de faire du pain ?'],
    ['es', '¿Cuál es la mejor manera de aprender un idioma?'],
    ['it', 'Come si fa il pane in casa con la farina?'],
    ['pt', 'Qual é a melhor forma de aprender uma língua? Não sei por onde começar'],
    ['nl', 'Wat is de beste manier om een taal te leren?'],
    ['pl', 'Jak się nauczyć języka i czy to jest trudne?'],
    ['tr', 'Bu kitap için çok teşekkürler, daha var mı?'],
    ['ru', 'Как быстро выучить язык?'],
    ['el', 'Πώς μαθαίνω γρήγορα μια γλώσσα;'],
    ['he', 'איך לומדים שפה במהירות?'],
    ['ar', 'كيف أتعلم لغة بسرعة؟'],
    ['hi', 'मैं भाषा कैसे सीखूं?'],
    ['th', 'ฉันจะเรียนภาษาได้อย่างไร'],
    ['zh', '怎样才能快速学习一门语言？'],
    ['ja', 'どうすれば言語を早く学べますか？'],
    ['ko', '언어를 빨리 배우려면 어떻게 해야 하나요?'],
    ['zh', '请用 Python 写一个排序函数'],
    ['zh', '请把 hello world 翻译成中文'],
    ['en', 'What does 你好 mean in English?'],
    ['other', 'xyzzy plugh'],
    ['other', 'ამინდი კარგია'],
    ['unknown', ''],
    ['unknown', '12 + 30 = 42'],
    ['unknown', '👋🏽 … !!'],
  ])('%s: %s', (language, text) => {
    expect(ask(text).language).toBe(language);
  });

  it('does not depend on capital letters', () => {
    for (const text of ['Viele Bücher aus dem Süden', 'Где находится Москва', 'Πού είναι η Αθήνα', 'Łódź jest w Polsce i nie']) {
      expect(ask(text.toUpperCase())).toMatchObject({ language: ask(text).language, opening: ask(text).opening, ending: ask(text).ending });
    }
  });
});
