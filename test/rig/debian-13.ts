/**
 * A Debian 13 with its real systemd as process 1, in namespaces: processes, mounts, control groups and
 * network are its own, the kernel is that of this machine. What is written there is gone at the end.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Unavailable } from '../../scripts/debian.mjs';
import { provideDebian13 } from '../../scripts/debian-13.mjs';

export interface Debian13 {
  /** Runs a script as root there and returns what it printed. Throws what it said when it failed. */
  sh(script: string): string;
  /** The same, whatever came of it. */
  attempt(script: string): { readonly code: number | null; readonly output: string };
  write(path: string, text: string, mode?: number): void;
  /** Copies a file of this machine there. */
  copy(from: string, to: string): void;
  end(): Promise<void>;
}

const init = fileURLToPath(new URL('debian-13-init.sh', import.meta.url));
const bootMilliseconds = 60_000;
const runMilliseconds = 120_000;

/** Boots one. Throws Unavailable where this machine cannot have one. */
export async function bootDebian13(): Promise<Debian13> {
  const base = provideDebian13();
  const group = makeGroup();
  const work = mkdtempSync(join(tmpdir(), 'debian-13-'));
  const enter = 'echo $$ >"$GROUP/cgroup.procs" && exec unshare "$@"';
  const namespaces = '--mount --pid --fork --uts --ipc --net --cgroup --kill-child'.split(' ');
  const child = spawn('sh', ['-c', enter, 'sh', ...namespaces, init], {
    env: { ...process.env, GROUP: group, WORK: work, BASE: base },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const ended = once(child, 'close');
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await removeGroup(group);
    rmSync(work, { recursive: true, force: true });
  };
  try {
    const pid = await systemdOf(child);
    return { ...inside(pid), end };
  } catch (error) {
    await end();
    throw new Error(`Debian 13 does not boot: ${said}`, { cause: error });
  }
}

function inside(pid: number): Omit<Debian13, 'end'> {
  const root = `/proc/${String(pid)}/root`;
  const words = ['-t', String(pid), ...'-m -u -i -n -p -C -r -w env -i'.split(' ')];
  const settings = ['PATH=/usr/sbin:/usr/bin', 'HOME=/root', 'LC_ALL=C.UTF-8', 'TERM=dumb'];
  const attempt = (script: string) => {
    const shell = ['DEBIAN_FRONTEND=noninteractive', 'sh', '-ec', `exec 2>&1; ${script}`];
    const { status, stdout } = spawnSync('nsenter', [...words, ...settings, ...shell], {
      encoding: 'utf8',
      timeout: runMilliseconds,
    });
    return { code: status, output: stdout };
  };
  return {
    attempt,
    sh(script) {
      const { code, output } = attempt(script);
      assert.equal(code, 0, `${script}\n${output}`);
      return output;
    },
    write(path, text, mode = 0o644) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text, { mode });
    },
    copy(from, to) {
      cpSync(from, join(root, to));
    },
  };
}

/** Process 1 of there, as soon as it has started what it starts. */
async function systemdOf(unshare: ChildProcess): Promise<number> {
  const children = `/proc/${String(unshare.pid)}/task/${String(unshare.pid)}/children`;
  const endsAt = performance.now() + bootMilliseconds;
  while (unshare.exitCode === null && performance.now() < endsAt) {
    const pid = Number(readIfThere(children));
    if (readIfThere(`/proc/${String(pid)}/comm`).trim() === 'systemd') {
      const state = inside(pid).attempt('timeout 40 systemctl is-system-running --wait').output;
      if (/^(running|degraded)$/m.test(state)) return pid;
    }
    await sleep(100);
  }
  throw new Error('systemd is not up');
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Where systemd counts its processes: a control group of version 2 on which it may build. */
function makeGroup(): string {
  const mount = / (\S+) cgroup2 /.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  if (mount === undefined)
    throw new Unavailable('no cgroup v2 is mounted, on which systemd stands');
  const group = join(mount, `ferryman-test-${String(process.pid)}`);
  mkdirSync(group);
  return group;
}

/** Its processes have been killed, but may not have gone yet. */
async function removeGroup(group: string): Promise<void> {
  const remove = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) remove(join(path, entry.name));
    }
    rmdirSync(path);
  };
  for (let attempts = 1; ; attempts += 1) {
    try {
      remove(group);
      return;
    } catch (error) {
      if (attempts === 50) throw error;
      await sleep(100);
    }
  }
}
