import { InvalidArgumentError, Option, type Command } from 'commander';
import { usageError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** Adds one command to the program. */
export type AddCommand = (program: Command, terminal: Terminal) => void;

/** What every command takes. */
export type CommonOptions = { readonly config?: string; readonly json?: true };

export const configOption = (): Option =>
  new Option('--config <file>', 'configuration to read (default: $SWITCHYARD_CONFIG, else switchyard.yaml)');
export const jsonOption = (what: string): Option => new Option('--json', `for programs: ${what}`);

export const natsUrlOption = (): Option =>
  new Option('--nats-url <url>', 'NATS server of the yard (default: the running yard)').argParser(url('nats', 'tls', 'ws', 'wss'));
export const httpUrlOption = (): Option =>
  new Option('--http-url <url>', 'HTTP gateway of the yard (default: the running yard)').argParser(url('http', 'https'));
export const sqlUrlOption = (): Option =>
  new Option('--sql-url <url>', 'ClickHouse HTTP interface (default: the running yard)').argParser(url('http', 'https'));

/** Examples stand after the options, each a line that can be pasted. */
export const withExamples = (command: Command, examples: readonly (readonly [command: string, meaning: string])[]): Command => {
  const width = Math.max(...examples.map(([line]) => line.length));
  return command.addHelpText(
    'after',
    `\nExamples:\n${examples.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`).join('\n')}`,
  );
};

const url =
  (...schemes: readonly string[]) =>
  (text: string): string => {
    const parsed = URL.parse(text);
    if (parsed === null || !schemes.includes(parsed.protocol.slice(0, -1)))
      throw new InvalidArgumentError(`Expected an address such as ${schemes[0] ?? ''}://127.0.0.1:1234.`);
    if (parsed.username !== '' || parsed.password !== '')
      // Commander would repeat what was given.
      throw usageError('Expected an address without user and password; docs/configuration.md says where they belong.');
    return text;
  };

export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    return value;
  };

/** `above`: the least value itself is none. */
export const number =
  (least: number, most: number, { above = false } = {}) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) || value < least || value > most || (above && value === least))
      throw new InvalidArgumentError(`Expected a number ${above ? 'above' : 'from'} ${least} ${above ? 'and up to' : 'to'} ${most}.`);
    return value;
  };

/** For an option that may be given several times. */
export const collect = (text: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), text];
