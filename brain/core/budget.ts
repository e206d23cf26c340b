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
 * The mechanism to throttle with: as the objective says, else the one that acts at once. A cgroup
 * quota stalls a vCPU less than half as long as QEMU's sleep and needs no bitmap sync.
 */
export function throttleFacts(migration: Migration): ThrottleFacts | undefined {
  const wanted = migration.order?.objective.throttle ?? 'auto';
  const offered = migration.source?.throttles ?? [];
  if (wanted !== 'auto') return offered.find((each) => each.mechanism === wanted);
  return offered.find((each) => each.lag === 'immediate') ?? offered[0];
}
