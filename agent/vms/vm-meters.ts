/** What the vCPUs and disks of one VM do, whether it migrates or not. */
import type { Clock } from '../../shared/clock.ts';
import type { VmActivity } from '../../shared/sample.ts';
import { createActivityReader, type ActivityCounters } from '../collectors/activity.ts';
import { readBlockCounters, type BlockCounters } from '../collectors/block-io.ts';
import { openVcpuClock } from '../collectors/vcpu.ts';
import type { Monitor } from '../monitor/monitor.ts';

export interface VmMeters {
  /** The counters as they are now; those of the disks as `activity` last read them. */
  counters(): ActivityCounters;
  /** Reads all counters; returns what was done since the time before. Throws as the monitor does. */
  activity(): Promise<VmActivity | undefined>;
  /** Seconds that one vCPU has run; undefined when its thread is gone, or nobody counts. */
  cpuSeconds(threadId: number): number | undefined;
  close(): void;
}

export interface VmMetersOptions {
  readonly monitor: Monitor;
  readonly pid: number;
  readonly vcpuThreadIds: readonly number[];
  readonly clock: Clock;
}

/** Lives as long as its VM is attached. */
export function openVmMeters({ monitor, pid, vcpuThreadIds, clock }: VmMetersOptions): VmMeters {
  const vcpus = openVcpuClock(pid);
  const activityOf = createActivityReader(vcpuThreadIds.length, clock);
  let block: BlockCounters | undefined;
  const counters = (): ActivityCounters => {
    const vcpuSeconds = vcpus.read(vcpuThreadIds);
    return { ...block, ...(vcpuSeconds !== undefined && { vcpuSeconds }) };
  };
  return {
    counters,
    async activity() {
      block = await readBlockCounters(monitor);
      return activityOf(counters());
    },
    cpuSeconds: (threadId) => {
      const seconds = vcpus.read([threadId]);
      // A kernel that keeps no such statistics says zero.
      return seconds === 0 ? undefined : seconds;
    },
    close: () => {
      vcpus.close();
    },
  };
}
