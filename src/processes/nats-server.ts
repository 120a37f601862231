import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { PermanentError, TransientError } from '../errors.ts';
import { endLeftBehind } from './left-behind.ts';
import { configurationOf, filesIn, portIn, tailOf } from './nats-server-files.ts';

/**
 * A nats-server of our own: found, started from a configuration file in its data folder, stopped. It serves NATS with JetStream on one address, loopback
 * unless told otherwise, and no other protocol. The same folder and port make it the same server again, whatever ended the one before.
 */
export type NatsServer = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the process has ended, by whatever cause. */
  readonly exited: Promise<void>;
  /** Asks it to end, and makes it end when it does not. */
  readonly stop: () => Promise<void>;
};

export type NatsServerOptions = {
  readonly binary: string;
  readonly dataDir: string;
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly durability: Config['log']['durability'];
  /** How long to wait for it: reading a large store again takes its time. */
  readonly readyTimeoutMs?: number;
};

const least = [2, 10] as const;
const fetched = path.join(import.meta.dirname, '..', '..', '.switchyard', 'tools', 'nats-server');
const defaultReadyTimeoutMs = 60_000;
const stopPatienceMs = 10_000;
const lookEveryMs = 20;

/** A server that is new enough: the one on PATH, else the one that set-up fetched. */
export const findNatsServer = (candidates: readonly string[] = ['nats-server', fetched]): string => {
  const seen: string[] = [];
  for (const candidate of candidates) {
    const { stdout, error } = spawnSync(candidate, ['--version'], { encoding: 'utf8', timeout: 10_000 });
    const [, major, minor] = /^nats-server: v(\d+)\.(\d+)\.\d+/.exec(error === undefined ? stdout : '') ?? [];
    if (isNewEnough(Number(major), Number(minor))) return candidate;
    seen.push(`${candidate}: ${error === undefined ? stdout.trim() : 'not there'}`);
  }
  throw new PermanentError(
    'no-nats-server',
    `expected nats-server ${least.join('.')} or later, seen ${seen.join(', ')}. Install it (Debian 13: apt-get install nats-server, macOS: brew install nats-server), or set NATS_URL to a server with JetStream`,
  );
};

const isNewEnough = (major: number, minor: number): boolean => major > least[0] || (major === least[0] && minor >= least[1]);

/** Resolves when JetStream is up. TransientError when the server does not start, PermanentError when its port is taken. */
export const startNatsServer = async (options: NatsServerOptions): Promise<NatsServer> => {
  const { binary, dataDir, host = '127.0.0.1', readyTimeoutMs = defaultReadyTimeoutMs } = options;
  const files = filesIn(dataDir);
  mkdirSync(dataDir, { recursive: true });
  // Two servers on one store would be the end of it.
  const leftBehind = pidIn(files.pid);
  if (leftBehind !== null) await endLeftBehind(leftBehind, files.config);
  rmSync(files.ports, { recursive: true, force: true });
  mkdirSync(files.ports);
  rmSync(files.log, { force: true });
  writeFileSync(files.config, configurationOf(options, host));

  const stderr = openSync(files.errors, 'w');
  // A process group of its own: Ctrl-C in a terminal reaches the whole group, and the server must outlive whoever still has to finish its work.
  const child = spawn(binary, ['--config', files.config], { stdio: ['ignore', 'ignore', stderr], detached: true });
  closeSync(stderr);
  writeFileSync(files.pid, `${child.pid ?? ''}`);
  const ended = Promise.withResolvers<undefined>();
  let cause: string | undefined;
  child.once('error', (error) => {
    cause = error.message;
    ended.resolve(undefined);
  });
  child.once('exit', (status, signal) => {
    cause = `it ended with ${signal ?? `status ${status}`}`;
    ended.resolve(undefined);
  });
  const whyEnded = (): string | undefined => cause;

  const stop = async () => {
    if (whyEnded() !== undefined) return;
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
    await ended.promise;
    clearTimeout(hard);
  };

  const untilMs = Date.now() + readyTimeoutMs;
  while (whyEnded() === undefined && Date.now() < untilMs) {
    // Not simply the port that was asked for: if that is taken, somebody else answers there.
    const port = portIn(files.ports, child.pid);
    if (port !== null && (await isReady(host, port)) && child.pid !== undefined && whyEnded() === undefined)
      return { url: `nats://${host.includes(':') ? `[${host}]` : host}:${port}`, port, pid: child.pid, exited: ended.promise, stop };
    await Promise.race([ended.promise, sleep(lookEveryMs)]);
  }
  const reason = whyEnded() ?? `it was not ready within ${readyTimeoutMs} ms`;
  await stop();
  throw notStarted(`${binary} at ${host}:${options.port}`, reason, `${tailOf(files.errors)}${tailOf(files.log)}`.trim());
};

const pidIn = (file: string): number | null => {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
};

const greetingMs = 1_000;

/** The first line that a server says to a client tells whether JetStream is up. */
const isReady = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    let greeting = '';
    const socket = connect({ host: host === '0.0.0.0' || host === '::' ? 'localhost' : host, port, timeout: greetingMs });
    const answer = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setEncoding('utf8').on('data', (text: string) => {
      greeting += text;
      if (greeting.includes('\r\n')) answer(greeting.includes('"jetstream":true'));
    });
    socket.once('error', () => {
      answer(false);
    });
    socket.once('timeout', () => {
      answer(false);
    });
    socket.once('close', () => {
      answer(false);
    });
  });

const notStarted = (what: string, reason: string, output: string): PermanentError | TransientError => {
  if (/address already in use/i.test(output))
    return new PermanentError(
      'port-taken',
      `expected a free port for nats-server, but another process has the one it was given (${what}); set another one as nats.port or by SWITCHYARD_NATS_PORT, or name the server that runs there by NATS_URL`,
    );
  return new TransientError(
    'nats-server-not-started',
    `nats-server did not start (${what}): ${reason}${output === '' ? '' : `\n${output}`}`,
    greetingMs,
  );
};
