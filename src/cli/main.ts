import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addChat } from './chat.ts';
import type { AddCommand } from './command.ts';
import { addConfig } from './config.ts';
import { addDead } from './dead.ts';
import { addEvents } from './events.ts';
import { exitCodes } from './exit-codes.ts';
import { explain } from './explain.ts';
import { addModels } from './models.ts';
import { addRebuild } from './rebuild.ts';
import { addReconcile } from './reconcile.ts';
import { addSql } from './sql.ts';
import { addStatus } from './status.ts';
import { openTerminal } from './terminal.ts';
import { addUp } from './up.ts';

/** The entry of `./switchyard`. Every command is one file and one line here. */
const commands: readonly AddCommand[] = [
  addUp,
  addStatus,
  addChat,
  addModels,
  addEvents,
  addSql,
  addRebuild,
  addReconcile,
  addDead,
  addConfig,
];

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };

const terminal = openTerminal();
const program = new Command('switchyard')
  .description('Answers chat requests with the model that has earned it, and keeps the record that proves it.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('Run it with --help for its options and examples.')
  .configureOutput({
    outputError: (text, write) => {
      write(text.replace(/^error: /, 'switchyard: '));
    },
  })
  .configureHelp({ styleTitle: (title) => terminal.style('bold', title) })
  .addHelpText(
    'after',
    `
Start with:
  ./switchyard up                                  the yard: nats-server, ClickHouse, gateway and actors
  ./switchyard chat "What is a Lagrangian?"        a request, answered by the arm that the router drew
  ./switchyard events -f                           what is recorded, as it is recorded
  ./switchyard sql "SELECT * FROM arms"            the same as tables

Exit codes: 0 ok, 1 a check failed, 2 usage, 3 the yard is not reachable, 70 a mistake of Switchyard, 130 Ctrl-C. More in docs/cli.md.`,
  );
for (const add of commands) add(program, terminal);

const run = async (): Promise<number> => {
  try {
    await program.parseAsync();
    return process.exitCode === undefined ? exitCodes.ok : Number(process.exitCode);
  } catch (error) {
    if (terminal.wasInterrupted()) return exitCodes.interrupted;
    const { exitCode, message } = explain(error);
    if (message !== null) terminal.note(`switchyard: ${message}`);
    return exitCode;
  }
};

const exitCode = await run();
await terminal.flush();
process.exit(terminal.wasInterrupted() ? exitCodes.interrupted : exitCode);
