/**
 * Debian packages, installed where the machine allows it, or unpacked into a folder, which needs
 * no rights, starts no service and disturbs nothing that is installed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Something that could not be had: what went wrong, and what the user can type. */
export class Unavailable extends Error {
  constructor(reason, remedy) {
    super(reason);
    this.remedy = remedy;
  }
}

/** The line of a program's complaints that says most; undefined when it made none. */
function chiefComplaint(stderr) {
  const lines = `${stderr ?? ''}`.trim().split('\n').filter(Boolean);
  return lines.find((line) => /^(E: |W: Failed|.*\berror\b)/i.test(line)) ?? lines.at(-1);
}

/** Runs a program to its end. Throws Unavailable with the program's chief complaint. */
export function run(command, options = {}) {
  const { remedy, ...spawnOptions } = options;
  const [program, ...args] = command;
  const done = spawnSync(program, args, { encoding: 'utf8', ...spawnOptions });
  if (done.status === 0) return;
  const reason = chiefComplaint(done.stderr) ?? done.error?.message ?? `exit ${done.status}`;
  throw new Unavailable(`${program} said: ${reason}`, remedy);
}

function isPossible(command) {
  return spawnSync(command[0], command.slice(1), { stdio: 'ignore' }).status === 0;
}

/**
 * Installs packages system-wide, as root or through a sudo that asks for no password.
 * Refreshes the package lists only when the first attempt fails.
 */
export function installPackages(packages) {
  const remedy = `sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const isRoot = process.getuid() === 0;
  if (!isRoot && !isPossible(['sudo', '-n', 'true']))
    throw new Unavailable(`${packages.join(', ')} must be installed by root`, remedy);
  const asRoot = [...(isRoot ? [] : ['sudo', '-n']), 'env', 'DEBIAN_FRONTEND=noninteractive'];
  const aptGet = [...asRoot, 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300'];
  const install = [...aptGet, 'install', '-y', '--no-install-recommends', ...packages];
  if (isPossible(install)) return;
  run([...aptGet, 'update'], { remedy: `sudo apt-get update && ${remedy}` });
  run(install, { remedy });
}

function codename() {
  const release = readFileSync('/etc/os-release', 'utf8');
  return /^VERSION_CODENAME="?(\w+)/m.exec(release)?.[1] ?? 'bookworm';
}

/** Deb822 stanzas that offer the main archive of `suite`, for `suite` and its backports. */
export function deriveStanzas(text, suite) {
  const withoutComments = text.replace(/^#.*\n?/gm, '');
  const offers = (stanza, field, word) =>
    new RegExp(`^${field}:.*(?<![\\w-])${word}(?![\\w-])`, 'im').test(stanza);
  return withoutComments
    .split(/\n\s*\n/)
    .filter((stanza) => offers(stanza, 'Suites', suite) && offers(stanza, 'Components', 'main'))
    .filter((stanza) => offers(stanza, 'Types', 'deb') && !/^Enabled:\s*no/im.test(stanza))
    .map((stanza) =>
      stanza
        .trim()
        .replace(/^Suites:.*$/im, `Suites: ${suite} ${suite}-backports`)
        .replace(/^Components:.*$/im, 'Components: main'),
    );
}

/** One-line sources that offer the main archive of `suite`, for `suite` and its backports. */
export function deriveLines(text, suite) {
  return text.split('\n').flatMap((line) => {
    const source = /^\s*deb\s+((?:\[[^\]]*\]\s+)?\S+)\s+(\S+)\s+(.*)$/.exec(line);
    if (!source || source[2] !== suite || !/\bmain\b/.test(source[3])) return [];
    return [suite, `${suite}-backports`].map((each) => `deb ${source[1]} ${each} main`);
  });
}

/** The machine's own sources, as files that a private apt reads instead of them. */
function writePrivateSources(folder, suite) {
  const lines = [];
  const stanzas = [];
  const sources = readdirSync('/etc/apt/sources.list.d').map((name) => `sources.list.d/${name}`);
  for (const name of ['sources.list', ...sources].map((each) => `/etc/apt/${each}`)) {
    const text = readIfThere(name);
    if (name.endsWith('.sources')) stanzas.push(...deriveStanzas(text, suite));
    if (name.endsWith('.list')) lines.push(...deriveLines(text, suite));
  }
  writeFileSync(join(folder, 'derived.list'), lines.join('\n') + '\n');
  writeFileSync(join(folder, 'derived.sources'), stanzas.join('\n\n') + '\n');
  if (lines.length + stanzas.length === 0)
    throw new Unavailable(`apt has no source of ${suite} main (looked in /etc/apt)`);
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Opens an apt of our own: own lists, own cache, sources derived from the machine's. Works without
 * root, and leaves the machine's apt as it is.
 */
function openPrivateApt(folder) {
  const suite = codename();
  for (const name of ['sources', 'lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, name), { recursive: true });
  writePrivateSources(join(folder, 'sources'), suite);
  const settings = [
    'Dir::Etc::sourcelist=/dev/null',
    `Dir::Etc::sourceparts=${join(folder, 'sources')}`,
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'Acquire::Languages=none',
    'APT::Sandbox::User=root',
  ];
  const aptGet = ['apt-get', '-q', ...settings.flatMap((setting) => ['-o', setting])];
  const { stderr } = spawnSync(aptGet[0], [...aptGet.slice(1), 'update'], { encoding: 'utf8' });
  // A source that has no backports fails alone: an error only if nothing at all was reached.
  if (!readdirSync(join(folder, 'lists')).some((name) => name.includes('_Packages')))
    throw new Unavailable(`apt reached no source of ${suite}: ${chiefComplaint(stderr)}`);
  return { aptGet, suite };
}

/**
 * Downloads packages of the machine's suite, or of its backports, and unpacks them into `target`,
 * which appears complete or not at all.
 */
export function unpackPackages(packages, target, { backports = false } = {}) {
  const parent = join(target, '..');
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(join(parent, `.${basename(target)}-`));
  try {
    const { aptGet, suite } = openPrivateApt(work);
    const release = ['-t', backports ? `${suite}-backports` : suite];
    const downloads = join(work, 'downloads');
    mkdirSync(downloads);
    run([...aptGet, ...release, 'download', ...packages], { cwd: downloads });
    const unpacked = join(work, 'unpacked');
    for (const archive of readdirSync(downloads))
      run(['dpkg-deb', '-x', join(downloads, archive), unpacked]);
    rmSync(target, { recursive: true, force: true });
    renameSync(unpacked, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
