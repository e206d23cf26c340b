/** A Debian 13 in a folder, to try the packages in: what they depend on and a QEMU, nothing of ours. */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable, deriveLines, deriveStanzas, run } from './debian.mjs';
import { projectRoot, tools } from './tools.mjs';

const suite = 'trixie';
const packages = ['dbus', 'nats-server', 'nodejs', 'qemu-system-x86', 'systemd', 'systemd-sysv'];

/**
 * Makes it below `.cache` where it is not there yet, which takes about a minute, and returns the
 * folder; nothing may be written into it. Throws Unavailable.
 */
export function provideDebian13() {
  const folder = join(projectRoot, '.cache/debian-13');
  if (process.getuid() !== 0) throw new Unavailable('only root can make a Debian 13 and boot it');
  if (existsSync(folder)) return folder;
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const include = `--include=${packages.join(',')}`;
  run([tools().debootstrap, '--variant=minbase', include, suite, work, archive()]);
  rmSync(join(work, 'var/cache/apt/archives'), { recursive: true });
  renameSync(work, folder);
  return folder;
}

/** Where this machine's apt finds Debian. */
function archive() {
  const release = readFileSync('/etc/os-release', 'utf8');
  const ours = /^VERSION_CODENAME="?(\w+)/m.exec(release)?.[1] ?? '';
  const names = [
    'sources.list',
    ...readdirSync('/etc/apt/sources.list.d').map((name) => `sources.list.d/${name}`),
  ];
  for (const name of names.map((each) => `/etc/apt/${each}`).filter((path) => existsSync(path))) {
    const text = readFileSync(name, 'utf8');
    const [stanza = '', line = ''] = [deriveStanzas(text, ours)[0], deriveLines(text, ours)[0]];
    const address = /^URIs:\s*(\S+)/im.exec(stanza)?.[1] ?? /(?<=\s)\w+:\/\/\S+/.exec(line)?.[0];
    if (address !== undefined) return address;
  }
  throw new Unavailable(`apt has no source of ${ours} main (looked in /etc/apt)`);
}
