import { existsSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { firstLine, outsideEnvironment, run, SetupError } from './commands.mjs';

/**
 * The Node that the product runs on comes from the npm package `node`, into node_modules/.bin, which npm scripts and ./switchyard look at first.
 * Its installer is a script of the package, and npm may have been told not to run such scripts: then it is run here.
 */
export const nodeRuntime = ({ root, say }) => {
  const folder = path.join(root, 'node_modules', 'node');
  const program = path.join(root, 'node_modules', '.bin', 'node');
  const wanted = () => `v${JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).version}`;
  const ready = () => existsSync(path.join(folder, 'package.json')) && firstLine(program, ['--version']) === wanted();
  return {
    ready,
    make: async () => {
      say(`installing Node ${wanted().slice(1)} into node_modules`);
      await run('node', ['installArchSpecificPackage'], { cwd: folder, env: outsideEnvironment(), limitSeconds: 600 });
      // npm leaves the link out when the program was not there yet.
      if (!existsSync(program)) link(path.join('..', 'node', 'bin', 'node'), program);
      if (!ready())
        throw new SetupError(
          `expected node_modules/.bin/node to be ${wanted()}, got ${firstLine(program, ['--version']) ?? 'nothing that runs'}`,
        );
    },
  };
};

const link = (target, file) => {
  try {
    unlinkSync(file);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  symlinkSync(target, file);
};
