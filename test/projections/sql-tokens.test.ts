import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, statementsOf, tokensOf } from '../../src/projections/sql/tokens.ts';

const code = (sql: string): readonly string[] => {
  const tokens = tokensOf(sql);
  if (tokens.kind === 'refused') throw new Error(tokens.reason);
  return codeOf(tokens.tokens).map(({ kind, value }) => `${kind}:${value}`);
};

describe('tokens of ClickHouse SQL', () => {
  test.each([
    ["'a''b' 'a\\'b' ''", ["text:a'b", "text:a'b", 'text:']],
    ['`a``b` "a""b" `a"b`', ['quoted-name:a`b', 'quoted-name:a"b', 'quoted-name:a"b']],
    ['$tag$ it\'s $ "raw" $$ $tag$', ['text: it\'s $ "raw" $$ ']],
    ['$$a$$b', ['text:a', 'word:b']],
    ['a$$b c$', ['word:a$$b', 'word:c$']],
    ['1 /* a /* nested */ still */ 2', ['number:1', 'number:2']],
    ['1 -- to the end\r still\n2 # too\n3 #! too\n4 // too\n5', ['number:1', 'number:2', 'number:3', 'number:4', 'number:5']],
    ['1.5e-3 0x1F 1_000 t.1', ['number:1.5e-3', 'number:0x1F', 'number:1_000', 'word:t', 'symbol:.', 'number:1']],
    ["'-- no comment' '/*'", ['text:-- no comment', 'text:/*']],
    ['into/**/outfile', ['word:into', 'word:outfile']],
  ])('%s', (sql, expected) => {
    expect(code(sql)).toEqual(expected);
  });

  test.each(["'open", '`open', '/* open', '/* /* */', '$tag$ open', 'SELECT ＩＮＴＯ', 'SELECT ‘text’', 'SELECT\u00a01', '1abc', "'\\'"])(
    'refuses %s',
    (sql) => {
      expect(tokensOf(sql).kind).toBe('refused');
    },
  );

  test('nothing is lost: the texts of the tokens are the input', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '`',
      '\\',
      '$',
      '$a$',
      '--',
      '/*',
      '*/',
      '\n',
      '#',
      ' ',
      ';',
      'into',
      '1',
      'é',
      '(',
      '.',
      '//',
      'x',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (sql) => {
          const tokens = tokensOf(sql);
          if (tokens.kind === 'tokens') expect(tokens.tokens.map(({ text }) => text).join('')).toBe(sql);
        },
      ),
      { seed: 33, numRuns: 2_000 },
    );
  });

  test('quoted text comes back as it was, and code around it stays code', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const quoted = `'${text.replace(/[\\']/g, '\\$&')}'`;
        expect(code(`a${quoted}b`)).toEqual(['word:a', `text:${text}`, 'word:b']);
      }),
      { seed: 34 },
    );
  });

  test('statements are cut at semicolons that are code', () => {
    const tokens = tokensOf(`-- first; not here\nSELECT ';' ; /* ; */ SELECT 2;\n;\n`);
    expect(tokens.kind === 'tokens' && statementsOf(tokens.tokens)).toEqual([`-- first; not here\nSELECT ';'`, `/* ; */ SELECT 2`]);
  });
});
