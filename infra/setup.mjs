/**
 * Makes a clone ready to run: packages, Node 24, embedded ClickHouse engine, nats-server. Every command that runs the product begins here, so it
 * is plain JavaScript for any Node from 18, needs no package, changes nothing outside the clone, and is done in a blink when there is nothing to do.
 *
 *   node infra/setup.mjs               what running needs; NATS_URL and CLICKHOUSE_URL stand for the parts that they name
 *   node infra/setup.mjs --everything  what the tests need: all parts, whatever the environment says
 *
 * 1. A step is taken only when its `ready` says no; what is there is never fetched again.
 * 2. One set-up at a time changes a clone; a second one waits and then finds everything ready.
 * 3. What goes wrong is one message that says what to do, and exit code 1.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { dependencies } from './setup/dependencies.mjs';
import { engine } from './setup/engine.mjs';
import { SetupError } from './setup/commands.mjs';
import { withLock } from './setup/lock.mjs';
import { natsServer } from './setup/nats-server.mjs';
import { nodeRuntime } from './setup/node-runtime.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const everything = process.argv.includes('--everything');
const isSet = (...names) => names.some((name) => (process.env[name] ?? '') !== '');
const say = (line) => process.stderr.write(`setup: ${line}\n`);

const steps = () => [
  dependencies({ root, development: everything, say }),
  nodeRuntime({ root, say }),
  ...(everything || !isSet('CLICKHOUSE_URL', 'SWITCHYARD_CLICKHOUSE_URL') ? [engine({ root, say })] : []),
  ...(everything || !isSet('NATS_URL', 'SWITCHYARD_NATS_URL') ? [natsServer({ root, say })] : []),
];

const isReady = () => steps().every((step) => step.ready());

const setUp = async () => {
  const startedAtMs = Date.now();
  for (const step of steps()) if (!step.ready()) await step.make();
  say(`ready after ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);
};

try {
  if (Number(process.versions.node.split('.')[0]) < 18) throw new SetupError(`expected Node 18 or later, got ${process.versions.node}`);
  if (!isReady()) {
    mkdirSync(path.join(root, '.switchyard'), { recursive: true });
    await withLock(path.join(root, '.switchyard', 'setup.lock'), say, async () => {
      if (!isReady()) await setUp();
    });
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
