/** What the vCPUs and disks of one VM do, whether it migrates or not. */
import type { Clock } from '../../shared/clock.ts';
import type { VmActivity } from '../../shared/sample.ts';
import { createActivityReader, type ActivityCounters } from '../collectors/activity.ts';
import { readBlockCounters, type BlockCounters } from '../collectors/block-io.ts';
import { addSeconds, openVcpuClock } from '../collectors/vcpu.ts';
import type { Monitor } from '../monitor/monitor.ts';

export interface VmMeters {
  /** Asks for the counters of the disks. Throws as the monitor does. */
  readDisks(): Promise<void>;
  /** Reads those of the vCPUs; those of the disks are what was last asked for. */
  read(): ActivityCounters;
  /** What was done from the counters given the time before to these. */
  activity(counters: ActivityCounters): VmActivity | undefined;
  /** Seconds that one vCPU had run at the last `read`; undefined when it is gone, or nobody counts. */
  cpuSeconds(threadId: number): number | undefined;
  close(): void;
}

export interface VmMetersOptions {
  readonly monitor: Monitor;
  readonly pid: number;
  /** Of its vCPUs. */
  readonly threadIds: readonly number[];
  readonly clock: Clock;
}

/** Lives as long as its VM is attached. */
export function openVmMeters({ monitor, pid, threadIds, clock }: VmMetersOptions): VmMeters {
  const vcpus = openVcpuClock(pid);
  const activityOf = createActivityReader(threadIds.length, clock);
  let block: BlockCounters | undefined;
  let each: readonly number[] | undefined;
  return {
    async readDisks() {
      block = await readBlockCounters(monitor);
    },
    read() {
      each = vcpus.read(threadIds);
      const vcpuSeconds = addSeconds(each);
      return { ...block, ...(vcpuSeconds !== undefined && { vcpuSeconds }) };
    },
    activity: activityOf,
    cpuSeconds(threadId) {
      const index = threadIds.indexOf(threadId);
      const seconds = index < 0 ? vcpus.read([threadId])?.[0] : each?.[index];
      // A kernel that keeps no such statistics says zero.
      return seconds === 0 ? undefined : seconds;
    },
    close: () => {
      vcpus.close();
    },
  };
}
