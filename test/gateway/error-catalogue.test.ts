import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureCodeSchema } from '../../src/events/index.ts';
import { errorCatalogue, isRecorded, retryHelps, type ErrorCode } from '../../src/gateway/error-catalogue.ts';
import { errorsPage } from '../../infra/docs/errors-page.ts';

describe('the catalogue of errors', () => {
  it('is what docs/errors.md says (npm run docs writes it)', () => {
    expect(readFileSync(path.join(import.meta.dirname, '../../docs/errors.md'), 'utf8')).toBe(errorsPage());
  });

  it('knows each code that is recorded', () => {
    for (const code of failureCodeSchema.options) expect(isRecorded(code)).toBe(true);
    expect(isRecorded('unavailable')).toBe(false);
  });

  it('gives statuses of errors, and 429, 499 and 5xx only to those that are not the fault of the request itself', () => {
    for (const [code, row] of Object.entries(errorCatalogue)) {
      expect(row.status, code).toBeGreaterThanOrEqual(400);
      expect(row.status, code).toBeLessThan(600);
      expect(row.status >= 500, code).toBe(row.type === 'server_error');
      expect(row.meaning, code).toMatch(/\.$/);
    }
  });

  it.each<[ErrorCode, boolean, boolean]>([
    ['invalid_json', false, false],
    ['unavailable', true, true],
    ['provider_error', false, true],
    ['provider_error', true, false],
  ])('%s, id of the caller %s: a retry helps %s', (code, callerChoseId, helps) => {
    expect(retryHelps(code, callerChoseId)).toBe(helps);
  });
});
