import { once } from 'node:events';
import { stripVTControlCharacters, styleText } from 'node:util';
import { storageFault } from '../storage-fault.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';

/**
 * The two streams of a command. Results go to stdout, everything else to stderr, so that a pipe holds results only.
 *
 * 1. A reader that has gone (`| head`) ends the command quietly; one that is slow slows it down. Where results cannot be written for another reason the command ends and says why.
 * 2. Colour only on a terminal, and not under NO_COLOR (`styleText` sees to both).
 * 3. What comes from outside never steers the terminal: `printable` takes control characters out.
 */
export type Terminal = {
  /** Writes to stdout as it is. Resolves when more may be written. */
  readonly write: (text: string | Uint8Array) => Promise<void>;
  readonly line: (text?: string) => Promise<void>;
  /** One value as JSON on one line of stdout. */
  readonly json: (value: unknown) => Promise<void>;
  /** A line on stderr, for people: progress, notes, what is about to happen. */
  readonly note: (text: string) => void;
  readonly style: (style: Style, text: string) => string;
  readonly noteStyle: (style: Style, text: string) => string;
  /** Whether stdout is a terminal; then tables have borders. */
  readonly isInteractive: boolean;
  /** Aborts at the first Ctrl-C, SIGTERM or hang-up; the command then ends by itself. A second one, or three seconds, end it by force. Without this call Ctrl-C kills. */
  readonly interrupted: () => AbortSignal;
  /** All that was asked for is made and told: no signal turns that into a failure any more. */
  readonly done: () => void;
  /** The exit code of what interrupted the command; null when nothing did before it was done. */
  readonly interruption: () => ExitCode | null;
  readonly flush: () => Promise<void>;
};

type Style = Parameters<typeof styleText>[0];

const patienceMs = 3_000;

export const openTerminal = (): Terminal => {
  const { stdout, stderr } = process;
  let interrupting: Interrupting | undefined;
  let isDone = false;

  for (const stream of [stdout, stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCodes.ok);
      // Notes are lost, and nobody can be told so; the results are what was asked for.
      if (stream === stderr) return;
      stderr.write(`switchyard: standard output: could not be written: ${storageFault(error) ?? error.message}\n`);
      process.exit(interrupting?.exitCode() ?? exitCodes.usage);
    });

  const write = async (text: string | Uint8Array): Promise<void> => {
    if (!stdout.write(text)) await once(stdout, 'drain');
  };

  return {
    write,
    line: (text = '') => write(`${text}\n`),
    json: (value) => write(`${JSON.stringify(value)}\n`),
    note: (text) => {
      stderr.write(`${text}\n`);
    },
    style: (style, text) => styleText(style, text, { stream: stdout }),
    noteStyle: (style, text) => styleText(style, text, { stream: stderr }),
    isInteractive: stdout.isTTY,
    interrupted: () => {
      interrupting ??= abortOnInterrupt();
      return interrupting.signal;
    },
    done: () => {
      isDone = true;
    },
    interruption: () => (isDone ? null : (interrupting?.exitCode() ?? null)),
    flush: async () => {
      for (const stream of [stdout, stderr]) await new Promise((resolve) => stream.write('', resolve));
    },
  };
};

const endings = [
  ['SIGHUP', exitCodes.hungUp],
  ['SIGINT', exitCodes.interrupted],
  ['SIGTERM', exitCodes.terminated],
] as const;

type Interrupting = { readonly signal: AbortSignal; /** Of the first signal. */ readonly exitCode: () => ExitCode | null };

const abortOnInterrupt = (): Interrupting => {
  const controller = new AbortController();
  let first: ExitCode | null = null;
  for (const [signal, exitCode] of endings)
    process.on(signal, () => {
      if (first !== null) process.exit(first);
      first = exitCode;
      controller.abort();
      setTimeout(() => process.exit(exitCode), patienceMs).unref();
    });
  return { signal: controller.signal, exitCode: () => first };
};

// Control characters but line feed and tab, and the marks that reverse the direction of writing.
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** Of no width: they belong into text of some scripts, and make two names look alike. */
const unseen = /[\u200b-\u200f\u2060-\u2065\ufeff]/g;

/** Text from outside, made harmless for a terminal. */
export const printable = (text: string): string => stripVTControlCharacters(text).replace(unprintable, '\u00b7');

/** A name from outside within a line: nothing in it ends the line, goes on to a next column, or is left out unseen. */
export const inLine = (text: string): string =>
  text
    .replace(/[\t\n\u2028\u2029]/g, '\u00b7')
    .replace(unprintable, '\u00b7')
    .replace(unseen, '\u00b7');

/** The same on one line of at most so many characters. */
export const excerpt = (text: string, charactersMax: number): string => {
  const line = printable(text).replace(/\s+/g, ' ').trim();
  return line.length <= charactersMax ? line : `${line.slice(0, charactersMax - 1)}\u2026`;
};

/** A name from outside within a sentence. */
export const nameInWords = (name: string): string => excerpt(name, 64);
