/** The two cgroup versions, and finding out which one this host has. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOwnGroup, type GroupLayout, type Quota } from './groups.ts';

/** The usual mount point of the cgroup file systems. */
export const defaultCgroupMount = '/sys/fs/cgroup';

/** What the host gives us to work with. */
export interface CgroupOptions {
  readonly mount?: string;
  /**
   * cgroup v2 only: the subtree that was delegated to ferryman, relative to the mount, e.g.
   * `/machine.slice`. Without it nothing is made under v2: another manager owns those groups.
   */
  readonly delegated?: string;
}

/** The layout that has a CPU controller here, or undefined when no quota can be set. */
export function detectLayout(options: CgroupOptions = {}): GroupLayout | undefined {
  const mount = options.mount ?? defaultCgroupMount;
  const legacy = ['cpu', 'cpu,cpuacct']
    .map((name) => join(mount, name))
    .find((path) => existsSync(join(path, 'cpu.cfs_quota_us')) || hasTasks(path));
  if (legacy !== undefined) return layoutV1(legacy);
  if (options.delegated === undefined || !hasCpu(join(mount, 'cgroup.controllers')))
    return undefined;
  return layoutV2(mount, options.delegated);
}

/** cgroup v1: the cpu controller's own tree, in which threads may be placed one by one. */
export function layoutV1(root: string): GroupLayout {
  return {
    version: 1,
    root,
    threadsFile: 'tasks',
    groupOf(procText) {
      const path = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(\/.*)$/m.exec(procText)?.[1];
      return path === undefined ? undefined : join(root, path);
    },
    prepare: () => undefined,
    setQuota(group, quota) {
      setQuotaV1(group, quota);
    },
    tidy: () => undefined,
  };
}

/**
 * The kernel checks quota over period after each write, against the parent's: lifting the old quota
 * first keeps the steps between two legal levels legal.
 */
function setQuotaV1(group: string, { quotaMicroseconds, periodMicroseconds }: Quota): void {
  writeFileSync(join(group, 'cpu.cfs_quota_us'), '-1');
  writeFileSync(join(group, 'cpu.cfs_period_us'), String(periodMicroseconds));
  writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quotaMicroseconds));
}

/** cgroup v2: threaded children, only at or below the delegated subtree. */
export function layoutV2(mount: string, delegated: string): GroupLayout {
  const root = join(mount, delegated);
  return {
    version: 2,
    root,
    threadsFile: 'cgroup.threads',
    groupOf(procText) {
      const path = /^0::(\/.*)$/m.exec(procText)?.[1];
      if (path === undefined) return undefined;
      const group = join(mount, path);
      const isOurs = group === root || group.startsWith(`${root}/`);
      return isOurs && hasCpu(join(group, 'cgroup.controllers')) ? group : undefined;
    },
    prepare(group) {
      // A threaded child first: only then may its parent, which holds processes, hand on `cpu`.
      writeFileSync(join(group, 'cgroup.type'), 'threaded');
      writeFileSync(join(group, '..', 'cgroup.subtree_control'), '+cpu');
    },
    setQuota(group, { quotaMicroseconds, periodMicroseconds }) {
      const text = `${String(quotaMicroseconds)} ${String(periodMicroseconds)}`;
      writeFileSync(join(group, 'cpu.max'), text);
    },
    tidy(home) {
      if (isHomeWithoutChildren(home)) writeFileSync(join(home, 'cgroup.subtree_control'), '-cpu');
    },
  };
}

function isHomeWithoutChildren(home: string): boolean {
  if (isOwnGroup(home) || !existsSync(join(home, 'cgroup.subtree_control'))) return false;
  return readdirSync(home, { withFileTypes: true }).every((entry) => !entry.isDirectory());
}

function hasTasks(path: string): boolean {
  return existsSync(join(path, 'tasks')) && existsSync(join(path, 'cpu.shares'));
}

function hasCpu(file: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').trim().split(/\s+/).includes('cpu');
}
