/**
 * Writes the generated pages of docs/.
 *
 *   npm run docs                              writes them
 *   node infra/docs.ts --check                exits 1 and names those that are not up to date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catalogue, type EventType } from '../src/events/index.ts';
import { configurationPage } from './docs/configuration-page.ts';
import { errorsPage } from './docs/errors-page.ts';
import { eventsPage } from './docs/events-page.ts';

const at = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

/** The events that the tests keep are the examples of the page: one that is not valid fails there. */
const storedEvent = (type: EventType): unknown =>
  JSON.parse(readFileSync(at(`test/events/fixtures/${type}.v${catalogue[type].version}.json`), 'utf8'));

const pages = {
  'docs/configuration.md': configurationPage(),
  'docs/errors.md': errorsPage(),
  'docs/events.md': eventsPage(storedEvent),
};

const current = (file: string): string | null => {
  try {
    return readFileSync(at(file), 'utf8');
  } catch {
    return null;
  }
};

for (const [file, page] of Object.entries(pages)) {
  if (current(file) === page) continue;
  if (process.argv.includes('--check')) {
    console.error(`${file} is not up to date: run \`npm run docs\``);
    process.exitCode = 1;
  } else {
    writeFileSync(at(file), page);
    console.error(`wrote ${file}`);
  }
}
