/**
 * The gentler throttle: a CPU quota on each vCPU thread. It acts at once, both ways, and with a 10 ms
 * period it stalls the guest about 2.5 times shorter than QEMU's own throttle at the same CPU share.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import type { ThrottleFacts } from '../../shared/sample.ts';
import { readVcpuSeconds } from '../collectors/vcpu.ts';
import {
  dissolveGroup,
  homeOf,
  makeGroup,
  moveThread,
  type GroupLayout,
  type Quota,
} from './groups.ts';
import { guardGroup } from './keeper.ts';
import { createUseMeter } from './use-meter.ts';

/** What the cgroup mechanism announces. */
export const cgroupFacts: ThrottleFacts = {
  mechanism: 'cgroup',
  lag: 'immediate',
  perVcpu: true,
};

/** A throttle on the vCPU threads of one VM. */
export interface CgroupThrottle {
  /** The level in force, 0 when released. */
  readonly percent: number;
  /** Notes each vCPU's use of CPU; call it about once a second, it counts only while released. */
  measure(nowMilliseconds: number): void;
  /** Sets the level for all vCPUs at once, 0 releases. Throws what the kernel answered. */
  set(percent: number): void;
  /**
   * Sends the threads home and removes the groups. Never throws for threads that are gone; throws
   * what the kernel answered for one group when all others are released.
   */
  release(): void;
}

/** Which threads, and how their CPU time is read (seconds since the thread began). */
export interface CgroupThrottleOptions {
  readonly layout: GroupLayout;
  readonly pid: number;
  readonly threadIds: readonly number[];
  readonly cpuSeconds?: (pid: number, threadId: number) => number | undefined;
}

/**
 * A throttle for this VM, or undefined when it is not available: the vCPU threads live in a group in
 * which we may make none. Threads found in a group that an earlier agent left are released first.
 */
export function openCgroupThrottle(options: CgroupThrottleOptions): CgroupThrottle | undefined {
  const { layout, pid, threadIds } = options;
  const homes = new Map<number, string>();
  for (const threadId of threadIds) {
    const home = writableHome(layout, pid, threadId);
    if (home === undefined) return undefined;
    homes.set(threadId, home);
    moveThread(layout, home, threadId);
  }
  return homes.size === 0 ? undefined : throttleOf(options, homes);
}

function throttleOf(
  { layout, pid, cpuSeconds = threadCpuSeconds }: CgroupThrottleOptions,
  homes: ReadonlyMap<number, string>,
): CgroupThrottle {
  const meter = createUseMeter([...homes.keys()], (threadId) => cpuSeconds(pid, threadId));
  const groups = new Map<number, string>();
  let percent = 0;

  const release = (): void => {
    percent = 0;
    meter.restart();
    dissolveAll(layout, groups);
  };
  const throttleThread = (threadId: number, home: string, level: number): void => {
    // The kernel gives thread ids away again, and a stranger must not come under our quota.
    if (!existsSync(`/proc/${pid}/task/${threadId}`)) return;
    const group = groups.get(threadId) ?? makeGroup(layout, home, threadId);
    groups.set(threadId, group);
    guardGroup(layout, group);
    layout.setQuota(group, quotaFor(level, meter.use(threadId)));
    moveThread(layout, group, threadId);
  };
  return {
    get percent() {
      return percent;
    },
    measure(nowMilliseconds) {
      if (percent === 0) meter.sample(nowMilliseconds);
    },
    set(level) {
      if (level <= 0) {
        release();
        return;
      }
      try {
        for (const [threadId, home] of homes) throttleThread(threadId, home, level);
        percent = level;
      } catch (error) {
        // All vCPUs or none: a half-throttled VM would be neither gentle nor predictable.
        release();
        throw error;
      }
    },
    release,
  };
}

/** Throws only when all others are free; what failed stays in `groups`, for another try. */
function dissolveAll(layout: GroupLayout, groups: Map<number, string>): void {
  const failures = [...groups].flatMap(([threadId, group]) => {
    try {
      dissolveGroup(layout, group);
      groups.delete(threadId);
      return [];
    } catch (error) {
      return [error];
    }
  });
  if (failures.length > 0) throw failures[0];
}

/** The scheduler's tick on most kernels: below it a period only makes the quota slip. */
const shortestPeriodMicroseconds = 4000;
const longestPeriodMicroseconds = 1_000_000;
const smallestQuotaMicroseconds = 1_000;

/**
 * The quota that takes `percent` of what a vCPU really uses (1 = a whole CPU). A quota is a cap: half
 * a CPU for a vCPU that uses a tenth would change nothing. The period is the shortest that the
 * kernel's smallest quota (1 ms) allows: a guest runs on to the end of the scheduler's tick and pays
 * for it with the periods that follow, so a larger quota makes for longer runs and longer pauses.
 */
export function quotaFor(percent: number, use: number): Quota {
  const share = (1 - percent / 100) * use;
  const wanted = smallestQuotaMicroseconds / Math.max(share, 1e-9);
  const periodMicroseconds = Math.round(
    Math.min(Math.max(wanted, shortestPeriodMicroseconds), longestPeriodMicroseconds),
  );
  const quotaMicroseconds = Math.round(
    Math.max(share * periodMicroseconds, smallestQuotaMicroseconds),
  );
  return { quotaMicroseconds, periodMicroseconds };
}

function writableHome(layout: GroupLayout, pid: number, threadId: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${String(pid)}/task/${String(threadId)}/cgroup`, 'utf8');
    const home = homeOf(layout, text);
    if (home !== undefined) accessSync(home, constants.W_OK);
    return home;
  } catch {
    // Ended meanwhile, or not ours to write: both mean that there is no throttle to offer.
    return undefined;
  }
}

/** Undefined when the thread ended, or when this kernel keeps no such statistics and says zero. */
function threadCpuSeconds(pid: number, threadId: number): number | undefined {
  try {
    const seconds = readVcpuSeconds(pid, [threadId]);
    return seconds === 0 ? undefined : seconds;
  } catch {
    return undefined;
  }
}
