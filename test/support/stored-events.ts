import { readFileSync } from 'node:fs';

/** An event as the log of an earlier day holds it: test/events/fixtures/<type>.v<version>.json. */
export const storedEvent = (type: string, version: number): unknown =>
  JSON.parse(readFileSync(new URL(`../events/fixtures/${type}.v${version}.json`, import.meta.url), 'utf8'));
