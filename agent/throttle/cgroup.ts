/**
 * The gentler throttle: a CPU quota on each vCPU thread. It acts at once, both ways, and stalls the
 * guest less than half as long as QEMU's own throttle does at the same work.
 */
import type { ThrottleFacts } from '../../shared/sample.ts';
import { readVcpuSeconds } from '../collectors/vcpu.ts';
import type { GroupLayout, Quota } from './groups.ts';
import { createUseMeter } from './use-meter.ts';
import { VcpuGroups } from './vcpu-groups.ts';

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
  /** The longest period of the quotas in force, 0 when released. */
  readonly periodMicroseconds: number;
  /**
   * Call it about once a second. Released, it notes each vCPU's use of CPU. In force, it puts back
   * threads that somebody else has moved out of their groups; throws what the kernel answered, released.
   */
  measure(nowMilliseconds: number): void;
  /**
   * Sets the level for all vCPUs at once, 0 releases. Throws what the kernel answered. With
   * `threadIds` these are the vCPU threads from now on: vCPUs may have been plugged since.
   */
  set(percent: number, threadIds?: readonly number[]): void;
  /**
   * Sends the threads home and removes the groups. Never throws for threads that are gone; throws
   * what the kernel answered for one group when all others are released.
   */
  release(): void;
}

/** Which threads, and how their CPU time is read: seconds since the thread began. */
export interface CgroupThrottleOptions {
  readonly layout: GroupLayout;
  readonly pid: number;
  readonly threadIds: readonly number[];
  readonly cpuSeconds?: (threadId: number) => number | undefined;
}

/**
 * A throttle for this VM, or undefined when it is not available: the vCPU threads live in a group in
 * which we may make none. Threads found in a group that an earlier agent left are released first.
 */
export function openCgroupThrottle(options: CgroupThrottleOptions): CgroupThrottle | undefined {
  const { layout, pid, threadIds } = options;
  const vcpus = new VcpuGroups(layout, pid);
  return vcpus.follow(threadIds) ? throttleOf(options, vcpus) : undefined;
}

function throttleOf(
  { pid, cpuSeconds = (threadId) => readVcpuSeconds(pid, [threadId]) }: CgroupThrottleOptions,
  vcpus: VcpuGroups,
): CgroupThrottle {
  const meter = createUseMeter(() => vcpus.threadIds, cpuSeconds);
  let percent = 0;
  let periodMicroseconds = 0;

  const release = (): void => {
    percent = 0;
    periodMicroseconds = 0;
    meter.restart();
    vcpus.release();
  };
  const cap = (level: number, threadIds?: readonly number[]): void => {
    try {
      if (threadIds !== undefined) vcpus.follow(threadIds);
      periodMicroseconds = 0;
      vcpus.cap((threadId) => {
        const quota = quotaFor(level, meter.use(threadId));
        periodMicroseconds = Math.max(periodMicroseconds, quota.periodMicroseconds);
        return quota;
      });
      percent = level;
    } catch (error) {
      // All vCPUs or none: a half-throttled VM would be neither gentle nor predictable.
      release();
      throw error;
    }
  };
  return {
    get percent() {
      return percent;
    },
    get periodMicroseconds() {
      return periodMicroseconds;
    },
    measure(nowMilliseconds) {
      if (percent === 0) meter.sample(nowMilliseconds);
      else if (!vcpus.isWhole) cap(percent);
    },
    set(level, threadIds) {
      if (level <= 0) release();
      else cap(level, threadIds);
    },
    release,
  };
}

/** The scheduler's tick on most kernels: below it a period only makes the quota slip. */
const shortestPeriodMicroseconds = 4000;
/** A vCPU may be held for two periods, and QEMU waits for all of them when it stops the guest. */
const longestPeriodMicroseconds = 200_000;
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
