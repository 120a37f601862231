import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { AddCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { explain } from './explain.ts';
import { openTerminal, printable } from './terminal.ts';

/**
 * The entry of `./switchyard`. Every command is one file and one line here. Only the command that was asked for is loaded, all of them for help: that
 * halves the time to the first letter.
 */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  up: async () => (await import('./up.ts')).addUp,
  status: async () => (await import('./status.ts')).addStatus,
  chat: async () => (await import('./chat.ts')).addChat,
  models: async () => (await import('./models.ts')).addModels,
  events: async () => (await import('./events.ts')).addEvents,
  sql: async () => (await import('./sql.ts')).addSql,
  policy: async () => (await import('./policy.ts')).addPolicy,
  arms: async () => (await import('./arms.ts')).addArms,
  shadow: async () => (await import('./shadow.ts')).addShadow,
  rebuild: async () => (await import('./rebuild.ts')).addRebuild,
  reconcile: async () => (await import('./reconcile.ts')).addReconcile,
  replay: async () => (await import('./replay.ts')).addReplay,
  evaluate: async () => (await import('./evaluate.ts')).addEvaluate,
  export: async () => (await import('./export.ts')).addExport,
  import: async () => (await import('./import.ts')).addImport,
  dead: async () => (await import('./dead.ts')).addDead,
  config: async () => (await import('./config.ts')).addConfig,
  demo: async () => (await import('./demo.ts')).addDemo,
  bench: async () => (await import('./bench.ts')).addBench,
};

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
  ./switchyard sql "SELECT * FROM parity"          the same as tables

Exit codes: 0 ok, 1 a check failed, 2 usage, 3 the yard is not reachable, 70 a mistake of Switchyard, 130 Ctrl-C (129 a hang-up, 143 SIGTERM). More in docs/cli.md.`,
  );
const run = async (): Promise<number> => {
  try {
    const asked = Object.entries(commands).filter(([name]) => name === process.argv[2]);
    for (const [, load] of asked.length > 0 ? asked : Object.entries(commands)) (await load())(program, terminal);
    await program.parseAsync();
    return process.exitCode === undefined ? exitCodes.ok : Number(process.exitCode);
  } catch (error) {
    const interruption = terminal.interruption();
    if (interruption !== null) return interruption;
    const { exitCode, message } = explain(error);
    if (message !== null) terminal.note(`switchyard: ${printable(message)}`);
    return exitCode;
  }
};

const exitCode = await run();
await terminal.flush();
process.exit(terminal.interruption() ?? exitCode);
