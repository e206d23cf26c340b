/** A host with ferryman's packages on it, asked as an administrator would ask it. */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { bootDebian13, type Debian13 } from '../rig/debian-13.ts';
import type { Line } from './support.ts';

export interface PackagedHost extends Debian13 {
  readonly name: string;
  /** Installs these files, or upgrades to them. */
  install(packages: readonly string[]): void;
  /** A command of the operator, as lines of JSON. */
  ferryman(words: string): readonly Line[];
  /** What doctor says of this part of this host. */
  check(part: string): Line | undefined;
  /** Whether a VM runs at that host. */
  runsAt(host: string): boolean;
  mainPid(service: string): string;
  /** Processes of a service beside its main one. */
  leftovers(service: string): readonly string[];
  /** Process ids of all QEMUs. */
  qemus(): readonly string[];
  /** Every file, user and group but those in which others keep notes. */
  inventory(): readonly string[];
}

const notesOfOthers =
  /^(\/tmp|\/var\/(cache|log|tmp|lib\/(dpkg|nats))|\/etc\/(passwd|group|shadow|gshadow)-)/;

/** Boots one, without the packages. Throws Unavailable where this machine cannot have one. */
export async function bootHost(): Promise<PackagedHost> {
  const machine = await bootDebian13();
  const { sh } = machine;
  // A host that can run VMs has it.
  sh('groupadd --system kvm');
  const name = sh('hostname').trim();
  const lines = (script: string) => sh(script).split('\n').filter(Boolean);
  const ferryman = (words: string): readonly Line[] => {
    const { output } = machine.attempt(`ferryman ${words} --json`);
    const said = output.split('\n').filter((line) => line.startsWith('{'));
    assert.notEqual(said.length, 0, output);
    return said.map((line) => JSON.parse(line) as Line);
  };
  const mainPid = (service: string) =>
    sh(`systemctl show --property MainPID --value ${service}`).trim();
  return {
    ...machine,
    name,
    install(packages) {
      for (const path of packages) machine.copy(path, `/tmp/${basename(path)}`);
      sh(`dpkg --install ${packages.map((path) => `/tmp/${basename(path)}`).join(' ')}`);
    },
    ferryman,
    check: (part) =>
      ferryman('doctor').find((line) => line['part'] === part && (line['host'] ?? name) === name),
    runsAt: (host) =>
      ferryman('list').some(
        (line) => line['type'] === 'vm' && line['host'] === host && line['runState'] === 'running',
      ),
    mainPid,
    leftovers: (service) =>
      lines(`cat /sys/fs/cgroup/system.slice/${service}/cgroup.procs`).filter(
        (pid) => pid !== mainPid(service),
      ),
    qemus: () =>
      lines(
        "grep --files-with-matches --no-messages '^qemu-system' /proc/[0-9]*/cmdline || true",
      ).flatMap((path) => path.split('/')[2] ?? []),
    inventory: () =>
      lines('find / -xdev; find /run/ferryman 2>&- || true; getent passwd; getent group').filter(
        (path) => !notesOfOthers.test(path),
      ),
  };
}
