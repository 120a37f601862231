import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Something that the person at the keyboard has to put right. Its message says what; it is shown without a stack. */
export class SetupError extends Error {
  name = 'SetupError';
}

const keptOutputCharacters = 8_000;

/**
 * Runs a command to its end, silently, and resolves with its output; rejects with the end of that output when it fails.
 * `input` is closed: a set-up in front of a command must not eat what is piped into that command.
 */
export const run = (command, args, { cwd, env = process.env, limitSeconds, title = [command, ...args].join(' ') }) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: limitSeconds * 1000 });
    let output = '';
    const keep = (text) => {
      output = (output + text).slice(-keptOutputCharacters);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => {
      reject(new SetupError(`${command} could not be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new SetupError(`${title} ended with ${signal ?? `code ${code}`}:\n${output.trim()}`));
    });
  });

/** First line that the command prints, or null when it does not run. Costs one process start. */
export const firstLine = (command, args) => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout.split('\n')[0].trim() : null;
};

/**
 * The environment without the folders that npm scripts put in front of PATH: npm must not run on the Node of the very node_modules that it
 * is about to replace.
 */
export const outsideEnvironment = () => ({
  ...process.env,
  PATH: searchPath()
    .filter((folder) => !folder.endsWith(path.join('node_modules', '.bin')))
    .join(path.delimiter),
});

/** Absolute path of a program on PATH, or null. */
export const onPath = (program) =>
  searchPath()
    .map((folder) => path.resolve(folder, program))
    .find(isProgram) ?? null;

const searchPath = () => (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');

const isProgram = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};
