import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { engineIn } from './engine.ts';
import { benchConfig } from './laboratory.ts';
import { fillWithDecisions } from './many-decisions.ts';

/** Made-up decisions in ClickHouse behind the read-only interface, in a process of its own as the projector of a yard is one. Argument: how many. Prints a line with its address when they are there. */
const folder = mkdtempSync(path.join(tmpdir(), 'switchyard-bench-'));
process.once('exit', () => {
  rmSync(folder, { recursive: true, force: true });
});
process.once('SIGTERM', () => process.exit(0));

const engine = engineIn(folder, benchConfig());
const database = 'decisions';
const clickhouse = await engine.openDatabase(database);
await fillWithDecisions(clickhouse, Number(process.argv[2]));
const { url } = await engine.serve(database);
console.log(JSON.stringify({ url, database }));
