import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { firstLine, onPath, SetupError } from './commands.mjs';
import { fetchFromDebian } from './debian-package.mjs';

/** 2.10: `sync_interval: always`, and the first whose file store the tests of this product were run against. */
const least = [2, 10];

/**
 * .switchyard/tools/nats-server is the one place where the rest of the product looks. It is a link to the server on PATH when that one is new enough,
 * else a program fetched from Debian's archive.
 */
export const natsServer = ({ root, say }) => {
  const tool = path.join(root, '.switchyard', 'tools', 'nats-server');
  return {
    ready: () => {
      const installed = newEnough(onPath('nats-server'));
      return installed === null ? newEnough(tool) !== null : linkTarget(tool) === installed;
    },
    make: async () => {
      mkdirSync(path.dirname(tool), { recursive: true });
      const installed = newEnough(onPath('nats-server'));
      const fresh = `${tool}.${process.pid}`;
      rmSync(fresh, { force: true });
      try {
        if (installed !== null) symlinkSync(installed, fresh);
        else await fetchFromDebian({ name: 'nats-server', file: 'usr/sbin/nats-server', to: fresh, say });
        if (newEnough(fresh) === null) throw new SetupError(`expected nats-server ${least.join('.')} or later, got ${version(fresh)}`);
        // A rename, so that no one ever starts half a file.
        renameSync(fresh, tool);
      } catch (error) {
        rmSync(fresh, { force: true });
        if (!(error instanceof SetupError)) throw error;
        throw new SetupError(`${advice(onPath('nats-server'))}\n\nFetching it was tried: ${error.message}`);
      }
    },
  };
};

const advice = (installed) =>
  [
    installed === null
      ? `nats-server ${least.join('.')} or later is needed and is not on PATH. Install it, or set NATS_URL to a server with JetStream:`
      : `nats-server ${least.join('.')} or later is needed; ${installed} is ${version(installed)}. Install a newer one, or set NATS_URL to a server with JetStream:`,
    '  Debian 13 or later  sudo apt-get install nats-server',
    '  macOS               brew install nats-server',
    '  anything else       a release from https://nats.io/download, its nats-server put on PATH',
  ].join('\n');

const version = (program) => firstLine(program, ['--version']) ?? 'nothing that runs';

/** The path when the program is there and new enough, else null. */
const newEnough = (program) => {
  if (program === null) return null;
  const seen = /v?(\d+)\.(\d+)\.\d+/.exec(version(program));
  if (seen === null) return null;
  const [major, minor] = [Number(seen[1]), Number(seen[2])];
  return major > least[0] || (major === least[0] && minor >= least[1]) ? program : null;
};

const linkTarget = (file) => {
  try {
    return lstatSync(file).isSymbolicLink() ? readlinkSync(file) : null;
  } catch {
    return null;
  }
};
