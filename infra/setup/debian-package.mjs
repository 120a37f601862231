import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { onPath, run, SetupError } from './commands.mjs';

/**
 * Takes one program out of a package of a newer Debian than the one that runs, without root and without touching what apt knows of the machine:
 * a source list, an index and a cache of its own, in a folder that is gone afterwards.
 *
 * 1. The mirror is the one that this machine is configured with, proxies and credentials included; no address stands here.
 * 2. The package is verified like any other of Debian's: its hash stands in an index that is signed with a key of the machine's keyring. There is no
 *    `trusted=yes`; where the keyring is too old to know the suite, this fails and says so, for a program from an unverified source would run with the
 *    rights of its user.
 * 3. Only the index of `main` of one suite and one architecture is fetched, about 10 MB.
 */
const suite = 'trixie';
/** Main archives; security and update archives have a suffix and do not hold the package. */
const debianSuites = new Set([
  'oldoldstable',
  'oldstable',
  'stable',
  'testing',
  'unstable',
  'sid',
  'bullseye',
  'bookworm',
  'trixie',
  'forky',
]);
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export const fetchFromDebian = async ({ name, file, to, say }) => {
  for (const program of ['apt-get', 'dpkg', 'dpkg-deb'])
    if (onPath(program) === null) throw new SetupError(`this is no Debian: there is no ${program}`);
  const mirrors = await configuredMirrors();
  if (mirrors.length === 0) throw new SetupError('apt knows no mirror of Debian');
  const failures = [];
  for (const mirror of mirrors) {
    say(`fetching ${name} from Debian ${suite} (about 15 MB)`);
    const folder = mkdtempSync(path.join(tmpdir(), 'switchyard-apt-'));
    try {
      const unpacked = await download(name, mirror, folder);
      copyFileSync(path.join(unpacked, file), to);
      chmodSync(to, 0o755);
      return;
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      failures.push(error.message);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  throw new SetupError(failures.join('\n'));
};

/**
 * Addresses from which apt would update this release itself. Asked of `update --print-uris`, which fetches nothing and, unlike `indextargets`, also
 * answers on a fresh image that has never been updated.
 */
const configuredMirrors = async () => {
  const printed = await run('apt-get', ['update', '--print-uris'], { limitSeconds: 30 });
  const mirrors = [...printed.matchAll(/^'(\S+?)\/?\/dists\/(\S+)\/InRelease'/gm)].filter(
    ([, address, name]) => debianSuites.has(name) && !address.startsWith('cdrom:'),
  );
  // Other archives name their suites like Debian's. Those that look like Debian's own go first; the keyring decides in the end.
  const distance = (address) => (/\/debian$/.test(address) ? 0 : 1);
  return [...new Set(mirrors.map(([, address]) => address))].sort((a, b) => distance(a) - distance(b)).slice(0, 3);
};

const download = async (name, mirror, folder) => {
  for (const needed of ['lists/partial', 'cache/archives/partial']) mkdirSync(path.join(folder, needed), { recursive: true });
  const architecture = (await run('dpkg', ['--print-architecture'], { limitSeconds: 10 })).trim();
  const signedBy = existsSync(keyring) ? ` signed-by=${keyring}` : '';
  writeFileSync(path.join(folder, 'sources.list'), `deb [arch=${architecture} target=Packages${signedBy}] ${mirror} ${suite} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': path.join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State::Lists': path.join(folder, 'lists'),
    'Dir::Cache': path.join(folder, 'cache'),
    'APT::Default-Release': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    // Root's apt downloads as `_apt`, who may not enter this folder.
    ...(process.getuid() === 0 ? { 'APT::Sandbox::User': 'root' } : {}),
  };
  const apt = ['-q', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
  // A failed index is only a warning to apt unless asked.
  await run('apt-get', [...apt, '-o', 'APT::Update::Error-Mode=any', 'update'], {
    cwd: folder,
    limitSeconds: 180,
    title: `apt-get update of ${mirror} ${suite}`,
  });
  await run('apt-get', [...apt, 'download', name], { cwd: folder, limitSeconds: 180, title: `apt-get download ${name}` });
  const archive = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
  if (archive === undefined) throw new SetupError(`apt-get download ${name} left no package`);
  await run('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: folder, limitSeconds: 60 });
  return path.join(folder, 'unpacked');
};
