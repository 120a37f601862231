import { readFileSync } from 'node:fs';
import path from 'node:path';
import { outsideEnvironment, run, SetupError } from './commands.mjs';

/**
 * The packages of package-lock.json. What is installed is read from npm's own record, which npm writes last: it is missing or differs after an
 * install that was cut off, and follows an `npm install` by hand, so that no stamp of our own can be wrong.
 */
export const dependencies = ({ root, development, say }) => ({
  ready: () => {
    const wanted = packagesIn(path.join(root, 'package-lock.json'));
    const installed = packagesIn(path.join(root, 'node_modules', '.package-lock.json'));
    if (wanted === null) throw new SetupError('expected package-lock.json beside package.json; restore it with git');
    return installed !== null && Object.entries(wanted).every(([name, entry]) => isInstalled(name, entry, installed, development));
  },
  make: async () => {
    say('installing packages (about 800 MB, most of it the ClickHouse engine; only when package-lock.json changed)');
    const options = { cwd: root, env: outsideEnvironment(), limitSeconds: 1_200 };
    const flags = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    try {
      await run('npm', ['ci', ...flags], options);
    } catch (error) {
      // A registry may hold other builds of chdb than the one that the lock was made with; `npm ci` then refuses the lock as a whole.
      say('`npm ci` refused, trying `npm install` with the same lock file');
      await run('npm', ['install', '--no-save', ...flags], options).catch((second) => {
        throw new SetupError(`the packages could not be installed.\n${error.message}\n\n${second.message}`);
      });
    }
  },
});

const packagesIn = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? null;
  } catch {
    return null;
  }
};

const isInstalled = (name, entry, installed, development) => {
  if (name === '') return true;
  const found = installed[name];
  if (found !== undefined) return found.version === entry.version;
  return entry.optional === true || (entry.devOptional === true && !development) || (entry.dev === true && !development);
};
