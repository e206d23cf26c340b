/** vCPU use and block I/O of a VM between two looks at it. */
import { type Clock, systemClock } from '../../shared/clock.ts';
import type { VmActivity } from '../../shared/sample.ts';

/** Counters that only grow, with the monotonic time at which they were read. */
export interface ActivityCounters {
  readonly atMilliseconds: number;
  readonly vcpuSeconds: number;
  readonly blockBytes: number;
  readonly blockOperations: number;
}

/** Rates between two readings; the busy share is over all vCPUs. Zero when no time passed. */
export function activityBetween(
  before: ActivityCounters,
  after: ActivityCounters,
  vcpus: number,
): VmActivity {
  const seconds = (after.atMilliseconds - before.atMilliseconds) / 1000;
  const perSecond = (growth: number) => (seconds > 0 ? Math.max(0, growth) / seconds : 0);
  const vcpuCores = perSecond(after.vcpuSeconds - before.vcpuSeconds);
  return {
    vcpuBusyShare: Math.min(1, vcpuCores / Math.max(1, vcpus)),
    blockBytesPerSecond: perSecond(after.blockBytes - before.blockBytes),
    blockOperationsPerSecond: perSecond(after.blockOperations - before.blockOperations),
  };
}

/** Figures of a MigrationSample, or of the collectors that filled it. */
export interface ActivitySource {
  readonly vcpuSeconds?: number;
  readonly blockReadBytes?: number;
  readonly blockWrittenBytes?: number;
  readonly blockOperations?: number;
}

/** Turns the samples of one VM into its activity; undefined for the first one. */
export function createActivityReader(
  vcpus: number,
  clock: Clock = systemClock,
): (source: ActivitySource) => VmActivity | undefined {
  let before: ActivityCounters | undefined;
  return (source) => {
    const after = {
      atMilliseconds: clock.monotonicMilliseconds(),
      vcpuSeconds: source.vcpuSeconds ?? 0,
      blockBytes: (source.blockReadBytes ?? 0) + (source.blockWrittenBytes ?? 0),
      blockOperations: source.blockOperations ?? 0,
    };
    const activity = before && activityBetween(before, after, vcpus);
    before = after;
    return activity;
  };
}
