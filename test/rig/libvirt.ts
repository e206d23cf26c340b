/** Two libvirt hosts on this machine, and a link between them; see libvirt-host.sh. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isExecutable, projectRoot, tools } from '../../scripts/tools.mjs';
import { buildGuest, neededMemoryBytes, type Guest } from '../guests/guest.ts';
import { openReportPage } from '../guests/report-page.ts';
import { tokenBucket } from './network.ts';
import { runCommand, waitUntil } from './qemu.ts';

/** One of the two. */
export interface LibvirtHost {
  /** What `virsh -c` takes, from outside its namespaces too. */
  readonly uri: string;
  /** Runs `virsh` on this host to its end; returns what it said. Throws what it complained of. */
  virsh(...args: readonly string[]): Promise<string>;
  /** The QEMU of a domain. */
  pidOf(domain: string): number | undefined;
}

export interface LibvirtPair {
  readonly source: LibvirtHost;
  readonly destination: LibvirtHost;
  /** For `virsh migrate`. */
  readonly destinationUri: string;
  /** Starts a guest on the source and waits until it has filled its memory. */
  startDomain(name: string, guest: Guest): Promise<string>;
  /** The same on the destination: another domain, which may have the same name. */
  startTwin(name: string, guest: Guest): Promise<string>;
  stop(): Promise<void>;
}

const hostNames = ['host-a', 'host-b'] as const;
const addresses = ['10.77.0.1', '10.77.0.2'] as const;
/** The first start of all asks QEMU what it can do. */
const startLimitMilliseconds = 60_000;
const script = fileURLToPath(new URL('libvirt-host.sh', import.meta.url));

/** Needs root, libvirt, and cgroup v1, on which libvirt makes its own groups without systemd. */
export function canHostLibvirt(): boolean {
  const { libvirtd, virsh } = tools();
  const hasGroups = existsSync('/sys/fs/cgroup/cpu/tasks');
  return process.getuid?.() === 0 && hasGroups && isExecutable(libvirtd) && isExecutable(virsh);
}

/** Brings both up, within two seconds where QEMU's capabilities are known from before. */
export async function startLibvirtPair(linkBytesPerSecond: number): Promise<LibvirtPair> {
  const folder = mkdtempSync(join(tmpdir(), 'lv-'));
  const hosts = await Promise.all([makeHost(folder, 0), makeHost(folder, 1)]);
  const [source, destination] = hosts;
  const stop = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.end()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await connect(source, destination, linkBytesPerSecond);
    await Promise.all(hosts.map((host) => host.begin()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ source, destination, stop },
    destinationUri: `qemu+tcp://${hostNames[1]}/system`,
    startDomain: (name, guest) => startDomain(source, folder, name, guest),
    startTwin: (name, guest) => startDomain(destination, folder, name, guest),
  };
}

interface Made extends LibvirtHost {
  readonly child: ChildProcess;
  begin(): Promise<void>;
  end(): Promise<void>;
}

async function makeHost(parent: string, index: 0 | 1): Promise<Made> {
  const [name, address] = [hostNames[index], addresses[index]];
  const folder = join(parent, name);
  const cache = join(projectRoot, '.cache', 'libvirt', name);
  const inNamespaces = ['--net', '--mount', '--uts', 'sh', script, folder, name, address, cache];
  const child = spawn('unshare', inNamespaces, { stdio: ['pipe', 'pipe', 'inherit'] });
  const uri = `qemu+unix:///system?socket=${join(folder, 'run', 'libvirt-sock')}`;
  const inside = ['nsenter', '-t', String(child.pid), '-n', '-m', '-u', `--wd=${parent}`];
  const virsh = async (...args: readonly string[]): Promise<string> => {
    const command = [...inside.slice(1), tools().virsh, '-c', 'qemu:///system', ...args];
    const { stdout } = await promisify(execFile)(inside[0] ?? '', command);
    return stdout.trim();
  };
  await once(child.stdout, 'data', { signal: AbortSignal.timeout(startLimitMilliseconds) });
  return {
    ...{ child, uri, virsh },
    pidOf: (domain) => readPid(join(folder, 'run', 'qemu', `${domain}.pid`)),
    async begin() {
      child.stdin.write('go\n');
      await answers(virsh);
    },
    async end() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

async function answers(virsh: LibvirtHost['virsh']): Promise<void> {
  const giveUpAt = performance.now() + startLimitMilliseconds;
  for (;;) {
    try {
      await virsh('version');
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await sleep(50);
    }
  }
}

async function connect(source: Made, destination: Made, linkBytesPerSecond: number): Promise<void> {
  const { ip, tc } = tools();
  const [a, b] = [source, destination].map(({ child }) => String(child.pid)) as [string, string];
  const [here, there] = [a, b].map((pid) => ['name', 'wire', 'netns', pid]) as [string[], string[]];
  await runCommand([ip, 'link', 'add', ...here, 'type', 'veth', 'peer', ...there]);
  for (const [index, pid] of [a, b].entries()) {
    const run = (...words: string[]) => runCommand(['nsenter', '-t', pid, '-n', ...words]);
    await run(ip, 'address', 'add', `${addresses[index] ?? ''}/24`, 'dev', 'wire');
    for (const device of ['lo', 'wire']) await run(ip, 'link', 'set', device, 'up');
    const bucket = tokenBucket(linkBytesPerSecond);
    await run(tc, 'qdisc', 'replace', 'dev', 'wire', 'root', ...bucket);
  }
}

function readPid(path: string): number | undefined {
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
}

/** Returns its UUID. */
async function startDomain(
  host: LibvirtHost,
  folder: string,
  name: string,
  guest: Guest,
): Promise<string> {
  const image = join(folder, `${name}.bin`);
  buildGuest(guest, image);
  const memoryMebibytes = Math.ceil(neededMemoryBytes(guest) / 2 ** 20);
  const uuid = randomUUID();
  const file = join(folder, `${name}.xml`);
  writeFileSync(file, domainXml({ name, uuid, image, memoryMebibytes }));
  await host.virsh('create', file);
  const page = openReportPage(host.pidOf(name) ?? 0, memoryMebibytes * 2 ** 20);
  try {
    await waitUntil('guest ready', () => page.read()?.isReady === true);
  } finally {
    page.close();
  }
  return uuid;
}

interface Domain {
  readonly name: string;
  readonly uuid: string;
  readonly image: string;
  readonly memoryMebibytes: number;
}

function domainXml({ name, uuid, image, memoryMebibytes }: Domain): string {
  return `<domain type='qemu'>
  <name>${name}</name>
  <uuid>${uuid}</uuid>
  <memory unit='MiB'>${String(memoryMebibytes)}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type><kernel>${image}</kernel></os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact'><model fallback='allow'>qemu64</model></cpu>
  <on_reboot>destroy</on_reboot>
  <devices>
    <emulator>${tools().qemu['7.2'].binary}</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
`;
}
