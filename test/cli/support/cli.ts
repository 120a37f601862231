import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../../src/config/schema.ts';

/** The real command line as a process of its own, as a user starts it. */
const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

/** Node's own cache of compiled files: it halves the time to start, and that is most of the time of these tests. */
const compileCache = path.join(tmpdir(), 'switchyard-compile-cache');

export type Ended = {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type Running = {
  readonly child: ChildProcess;
  /** Resolves when stdout holds the text; rejects when the process ends, or the time is over, before. */
  readonly said: (text: string) => Promise<void>;
  readonly ended: Promise<Ended>;
};

/** For a text that is certain to come. */
const patienceMs = 60_000;

/** A test that fails in the middle leaves no process behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

type CliOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** What a shell does before it becomes the command: limits, redirections. */
  readonly before?: string;
};

export const startCli = (args: readonly string[], { env = {}, input, before }: CliOptions = {}): Running => {
  const command = [process.execPath, main, ...args];
  const [program, ...rest] = before === undefined ? command : ['/bin/sh', '-c', `${before}\nexec "$@"`, 'sh', ...command];
  const child = spawn(program ?? '', rest, {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  child.stdin.end(input ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (status, signal) => {
      resolve({ status, signal, stdout, stderr });
    });
  });
  return {
    child,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!stdout.includes(text)) return;
          clearTimeout(timer);
          resolve();
        };
        const give = (why: string) => {
          reject(new Error(`expected "${text}" on stdout, ${why}; stdout: ${stdout}; stderr: ${stderr}`));
        };
        const timer = setTimeout(() => {
          give(`not within ${patienceMs} ms`);
        }, patienceMs);
        child.stdout.on('data', look);
        child.once('close', () => {
          clearTimeout(timer);
          give('the process ended');
        });
        look();
      }),
  };
};

export const runCli = (args: readonly string[], options?: CliOptions): Promise<Ended> => startCli(args, options).ended;

/** A folder with a configuration of its own: nothing listens at its addresses unless the test sees to it. */
export type TestFolder = { readonly path: string; readonly config: string; readonly remove: () => void };

export const testFolder = (config: Partial<ConfigInput> = {}): TestFolder => {
  const folder = mkdtempSync(path.join(tmpdir(), 'yard-cli-'));
  const file = path.join(folder, 'yard.yaml');
  writeFileSync(
    file,
    stringify({
      dataDir: 'data',
      logLevel: 'silent',
      // Port 1 is nobody's.
      http: { port: 1 },
      nats: { port: 1 },
      clickhouse: { port: 1 },
      models: [model('model-a'), model('model-b')],
      arms: [
        { id: 'arm-a', model: 'model-a' },
        { id: 'arm-b', model: 'model-b' },
      ],
      ...config,
    } satisfies ConfigInput),
  );
  return {
    path: folder,
    config: file,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const model = (id: string): NonNullable<ConfigInput['models']>[number] => ({
  id,
  provider: { kind: 'simulated', firstTokenMs: { median: 0, p95: 0 }, tokensPerSecond: 1_000_000, quality: 0.8 },
  price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 },
  contextTokens: 100_000,
});

/** Lines of JSON on stdout. */
export const jsonLines = (stdout: string): readonly unknown[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

/** What a stack trace looks like; none may be shown for a mistake of the user's. */
export const stackTrace = /\n\s+at |node:internal|\.ts:\d+/;
