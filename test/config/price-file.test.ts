import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadPriceFile } from '../../src/config/price-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'switchyard-prices-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const load = (text: string | Uint8Array, name = 'prices.yaml') => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return loadPriceFile(file);
};
const refused = (text: string | Uint8Array): ConfigError => {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError, but it loaded');
};
const price = '{ inputUsdPerMillionTokens: 0.5, outputUsdPerMillionTokens: 2 }';

it('is YAML or JSON, in the words of the configuration; names may be anything', () => {
  const prices = load(`small: ${price}\n"large = 3/4": ${price}\n7: ${price}\nconstructor: ${price}\n`);
  const one = { inputUsdPerMillionTokens: 0.5, outputUsdPerMillionTokens: 2 };
  expect(prices).toEqual({ small: one, 'large = 3/4': one, '7': one, constructor: one });
  expect(load(JSON.stringify({ small: one }), 'prices.json')).toEqual({ small: one });
  expect(load(`\uFEFFsmall: ${price}\r\n`)).toEqual({ small: one });
});

it.each([
  ['small: 3', 'small', 1, 'a group of keys'],
  ['small: { inputUsdPerMillionTokens: 1 }', 'small.outputUsdPerMillionTokens', 1, 'a number from 0 to 10000'],
  ['a: { inputUsdPerMillionTokens: -1, outputUsdPerMillionTokens: 1 }', 'a.inputUsdPerMillionTokens', 1, 'a number from 0 to 10000'],
  ['a: { inputUsdPerMillionTokens: .inf, outputUsdPerMillionTokens: 1 }', 'a.inputUsdPerMillionTokens', 1, 'a number from 0 to 10000'],
  ['a: { inputUsdPerMillionTokens: 1e5, outputUsdPerMillionTokens: 1 }', 'a.inputUsdPerMillionTokens', 1, 'a number from 0 to 10000'],
  ['a: { inputUsdPerMillionTokens: "1", outputUsdPerMillionTokens: 1 }', 'a.inputUsdPerMillionTokens', 1, 'a number from 0 to 10000'],
  [`small: ${price}\na: { inputUsdPerMillionToken: 1, outputUsdPerMillionTokens: 1 }`, 'a.inputUsdPerMillionToken', 2, 'did you mean'],
  [`- ${price}`, 'the file', 1, 'arms, each with inputUsdPerMillionTokens and outputUsdPerMillionTokens'],
  ['{}', 'the file', 1, 'at least one arm with its price'],
  [`"": ${price}`, 'the file', 1, 'names of 1 to 1024 characters'],
  [`__proto__: ${price}`, '__proto__', 1, 'another key'],
  [Array.from({ length: 257 }, (_, i) => `a${i}: ${price}`).join('\n'), 'the file', 1, 'prices of at most 256 arms'],
])('%.40s', (text, where, line, expected) => {
  const { problems, message, code } = refused(text);
  expect(code).toBe('invalid-price-list');
  expect(
    problems.find((one) => one.where === where),
    message,
  ).toMatchObject({ expected: expect.stringContaining(expected) as string });
  if (where !== 'the file') expect(problems.find((one) => one.where === where)?.line).toBe(line);
});

it.each([
  ['', 'at least one arm with its price, got an empty file'],
  ['a: [', 'valid YAML'],
  [`a: ${price}\na: ${price}`, 'valid YAML (duplicate key)'],
  [Buffer.from([0xff, 0xfe]), 'text in UTF-8, got other bytes'],
])('what cannot be read: %s', (text, expected) => {
  expect(refused(text).message).toContain(expected);
});
