import { InvalidArgumentError, Option } from 'commander';
import pino from 'pino';
import { roles } from '../actors/concern.ts';
import { loadSettings, requireApiKeys } from '../config/load.ts';
import { up } from '../processes/up.ts';
import { configOption, jsonOption, withExamples, type AddCommand, type CommonOptions } from './command.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

type UpOptions = CommonOptions & { readonly roles?: string };

export const addUp: AddCommand = (program, terminal) => {
  const command = program
    .command('up')
    .summary('run the yard')
    .description(
      'Runs nats-server (unless the configuration names one), the projector and a worker, and starts again what dies. Ctrl-C stops them in order.',
    )
    .addOption(new Option('--roles <names>', `which actors the worker holds, of ${roles.join(',')} (default: all)`).argParser(roleNames))
    .addOption(jsonOption('the addresses as one object when everything is ready'))
    .addOption(configOption())
    .action((options: UpOptions) => runYard(terminal, options));
  withExamples(command, [
    ['./switchyard up', 'everything on this machine'],
    ['NATS_URL=nats://10.0.0.5:4222 ./switchyard up', 'on a NATS server that is there already'],
    ['./switchyard up --config staging.yaml', 'another configuration'],
  ]);
};

const runYard = async (terminal: Terminal, options: UpOptions): Promise<void> => {
  const settings = loadSettings({ file: options.config });
  requireApiKeys(settings);
  // Before anything is started: a Ctrl-C that comes early stops what has been started by then.
  const stopped = untilToldToStop();
  const logger = pino({ level: settings.config.logLevel, base: { process: 'up' } }, pino.destination(process.stderr.fd));
  const yard = await up(settings, { logger, ...(options.roles === undefined ? {} : { roles: options.roles }) });
  if (options.json === true) await terminal.json(yard.run);
  else await sayReady(terminal, yard.run);

  const end = await Promise.race([stopped, yard.hopeless.then((message) => ({ message }))]);
  terminal.note('stopping');
  await yard.close();
  if (end !== undefined) throw new CommandError(exitCodes.failed, end.message);
};

const sayReady = async (terminal: Terminal, run: Awaited<ReturnType<typeof up>>['run']): Promise<void> => {
  await terminal.line(terminal.style('bold', 'The yard is ready.'));
  await terminal.line(`  HTTP        ${run.httpUrl ?? 'not served by these roles'}`);
  await terminal.line(`  NATS        ${run.natsUrl}`);
  await terminal.line(`  ClickHouse  ${run.sqlUrl ?? 'not served here'}`);
  await terminal.line('Ask it: ./switchyard chat "Hello". Stop it: Ctrl-C.');
};

/** Resolves at the first signal, or when the process that forked this one is gone; a second signal ends the process at once. */
const untilToldToStop = (): Promise<undefined> =>
  new Promise((resolve) => {
    let told = false;
    const onSignal = () => {
      if (told) process.exit(exitCodes.interrupted);
      told = true;
      resolve(undefined);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    // Started by a process that has died: there is nobody left to stop it.
    process.on('disconnect', () => {
      resolve(undefined);
    });
  });

const roleNames = (text: string): string => {
  const unknown = text.split(',').filter((name) => !roles.some((role) => role === name));
  if (unknown.length > 0) throw new InvalidArgumentError(`Expected some of ${roles.join(',')}, joined by commas.`);
  return text;
};
