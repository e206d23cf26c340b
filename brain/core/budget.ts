/** What the hosts can spare for one migration, and what the objective leaves the throttle. */
import type { Objective } from '../../shared/objective.ts';
import type { ThrottleFacts } from '../../shared/sample.ts';
import type { Migration } from './migration.ts';

/** Threads that compress: idle cores of the poorer side, one always stays free for the guest. */
export function compressionThreads(migration: Migration): number {
  const idle = Math.min(
    migration.sourceHost?.idleCpuCores ?? migration.source?.idleCpuCores ?? 1,
    migration.destinationHost?.idleCpuCores ?? migration.destination?.idleCpuCores ?? 1,
  );
  return Math.max(1, Math.min(8, Math.floor(idle)));
}

/** Largest XBZRLE cache that the source's free memory bears: a quarter, as a power of two. */
export function xbzrleCacheLimitBytes(migration: Migration): number {
  const free = migration.sourceHost?.freeMemoryBytes ?? migration.source?.freeMemoryBytes ?? 0;
  return 2 ** Math.floor(Math.log2(Math.max(1, free / 4)));
}

/** Levels at or below it are the inert arming of auto-converge, not a throttle (design: 1 %). */
export const inertThrottlePercent = 1;

/** I/O-sensitive VMs are never slowed beyond this, so that they still answer interrupts (the talk). */
const ioSensitiveThrottlePercent = 80;

/** The hardest throttle that the owner of the VM allows, in percent. */
export function throttleCapPercent(objective: Objective): number {
  return objective.ioSensitive
    ? Math.min(objective.maxThrottlePercent, ioSensitiveThrottlePercent)
    : Math.min(objective.maxThrottlePercent, 99);
}

/**
 * Disk requests a second from which a VM counts as one that waits for its disks: one in 10 ms, where
 * a system at rest makes a few.
 */
const busyDiskOperationsPerSecond = 100;

/**
 * The mechanism to throttle with: as the objective says, else the gentler one. A quota acts at once
 * and stalls a busy vCPU less than half as long as QEMU's sleep. But it may stop a vCPU that holds
 * QEMU's global lock, and then stops the monitor, the disks and the other vCPUs too; QEMU lets go of
 * the lock before it sleeps. Measured on 7.2 on a guest that writes to a disk, at the same work left:
 * longest gap 50 ms under QEMU, 150 under a quota, the monitor's p99 8 and 80 ms, disk throughput the
 * same. So such a VM is throttled by QEMU. What an attempt was armed for it keeps: under a throttle
 * a guest writes less.
 */
export function throttleFacts(migration: Migration): ThrottleFacts | undefined {
  const wanted = migration.order?.objective.throttle ?? 'auto';
  const offered = migration.source?.throttles ?? [];
  const named = (mechanism: string) => offered.find((each) => each.mechanism === mechanism);
  if (wanted !== 'auto') return named(wanted);
  const arming = migration.attempts.at(-1)?.arming;
  const isQemus = arming?.autoConverge ?? waitsForDisks(migration);
  return named(isQemus ? 'qemu' : 'cgroup') ?? offered[0];
}

function waitsForDisks({ order, activity }: Migration): boolean {
  const operations = activity?.blockOperationsPerSecond ?? 0;
  return order?.objective.ioSensitive === true || operations >= busyDiskOperationsPerSecond;
}
