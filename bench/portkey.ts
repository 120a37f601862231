import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { settlePort } from '../src/processes/free-port.ts';
import { endProcess, endWithThisProcess, type StartedProcess } from './child-process.ts';

/**
 * Portkey's gateway, the peer that is measured beside the yard: same Node binary, same mock provider, same load. It keeps no log. Installed into a
 * folder under the system's temporary one, which later runs use again; never a dependency of the project.
 */
export type Portkey =
  | ({ readonly kind: 'started'; readonly version: string; readonly url: string; readonly headers: readonly string[] } & StartedProcess)
  | { readonly kind: 'unavailable'; readonly reason: string };

const packageName = '@portkey-ai/gateway';
const version = '1.15.2';
const installTimeoutMs = 240_000;
const readyTimeoutMs = 20_000;

export const startPortkey = async (mockUrl: string): Promise<Portkey> => {
  const folder = path.join(tmpdir(), `switchyard-bench-portkey-${version}`);
  const script = path.join(folder, 'node_modules', packageName, 'build', 'start-server.js');
  if (!existsSync(script)) {
    mkdirSync(folder, { recursive: true });
    const npm = spawnSync(
      'npm',
      ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', `${packageName}@${version}`],
      {
        encoding: 'utf8',
        timeout: installTimeoutMs,
      },
    );
    if (npm.status !== 0 || !existsSync(script)) return { kind: 'unavailable', reason: `npm could not install ${packageName}@${version}` };
  }
  const port = await settlePort('127.0.0.1', 0);
  const child = spawn(process.execPath, [script, '--headless', `--port=${port}`], { cwd: folder, stdio: 'ignore' });
  endWithThisProcess(child);
  const origin = `http://127.0.0.1:${port}`;
  const untilMs = Date.now() + readyTimeoutMs;
  while (Date.now() < untilMs && child.exitCode === null) {
    if (await answers(origin))
      return {
        kind: 'started',
        version,
        url: `${origin}/v1`,
        headers: ['x-portkey-provider', 'openai', 'x-portkey-custom-host', mockUrl, 'authorization', 'Bearer none'],
        stop: () => endProcess(child),
      };
    await sleep(50);
  }
  await endProcess(child);
  return { kind: 'unavailable', reason: `${packageName}@${version} did not answer within ${readyTimeoutMs} ms` };
};

const answers = (origin: string): Promise<boolean> =>
  fetch(origin).then(
    () => true,
    () => false,
  );
