import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { outsideEnvironment, run, SetupError } from './commands.mjs';

/**
 * The embedded ClickHouse engine. It is loaded once, for real, by the Node that will run it; a mark in node_modules remembers that, with the version,
 * since loading half a gigabyte at each start would cost more than the rest of the set-up.
 */
export const engine = ({ root, say }) => {
  const modules = path.join(root, 'node_modules');
  const mark = path.join(modules, '.switchyard-engine');
  const instead = 'Set CLICKHOUSE_URL to use a ClickHouse server instead.';
  return {
    ready: () => {
      const library = platformPackage(modules);
      return library !== null && existsSync(path.join(modules, library.name, 'package.json')) && read(mark) === library.version;
    },
    make: async () => {
      const library = platformPackage(modules);
      if (library === null)
        throw new SetupError(
          `there is no embedded ClickHouse engine for ${process.platform} ${process.arch}: expected Linux (glibc) or macOS on x64 or arm64. ${instead}`,
        );
      if (!existsSync(path.join(modules, library.name, 'package.json'))) {
        // The lock file names only the platforms of the registry that it was made with.
        say(`installing the ClickHouse engine ${library.name}`);
        await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${library.name}@${library.version}`], {
          cwd: root,
          env: outsideEnvironment(),
          limitSeconds: 1_200,
        });
      }
      say('trying the ClickHouse engine');
      await run(path.join(modules, '.bin', 'node'), ['-e', "require('chdb').query('SELECT 1', 'TSV')"], {
        cwd: root,
        limitSeconds: 120,
      }).catch((error) => {
        throw new SetupError(`the embedded ClickHouse engine does not run here. ${instead}\n${error.message}`);
      });
      writeFileSync(mark, library.version);
    },
  };
};

/** chdb names a package for each platform among its optional dependencies: @chdb/lib-linux-x64-gnu, @chdb/lib-darwin-arm64, ... */
const platformPackage = (modules) => {
  const manifest = read(path.join(modules, 'chdb', 'package.json'));
  if (manifest === null) return null;
  const found = Object.entries(JSON.parse(manifest).optionalDependencies ?? {}).find(([name]) =>
    `${name}-`.startsWith(`@chdb/lib-${process.platform}-${process.arch}-`),
  );
  return found === undefined ? null : { name: found[0], version: found[1] };
};

const read = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
};
