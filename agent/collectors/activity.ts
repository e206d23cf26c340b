/** vCPU use and block I/O of a VM between two looks at it. */
import { type Clock, systemClock } from '../../shared/clock.ts';
import type { MigrationSample, VmActivity } from '../../shared/sample.ts';

/** Counters that only grow, absent when they could not be read; a MigrationSample carries them. */
export type ActivityCounters = Pick<
  MigrationSample,
  'vcpuSeconds' | 'blockReadBytes' | 'blockWrittenBytes' | 'blockOperations'
>;

/**
 * Rates over the time between two readings; the busy share is over all vCPUs. A counter that one of
 * the readings lacks, or that began anew, counts as no activity.
 */
export function activityBetween(
  before: ActivityCounters,
  after: ActivityCounters,
  elapsedMilliseconds: number,
  vcpus: number,
): VmActivity {
  const rate = (name: keyof ActivityCounters) => {
    const growth = (after[name] ?? NaN) - (before[name] ?? NaN);
    return growth > 0 && elapsedMilliseconds > 0 ? (growth * 1000) / elapsedMilliseconds : 0;
  };
  return {
    vcpuBusyShare: Math.min(1, rate('vcpuSeconds') / Math.max(1, vcpus)),
    blockBytesPerSecond: rate('blockReadBytes') + rate('blockWrittenBytes'),
    blockOperationsPerSecond: rate('blockOperations'),
  };
}

/** Turns the readings of one VM into its activity; undefined for the first one. */
export function createActivityReader(
  vcpus: number,
  clock: Clock = systemClock,
): (counters: ActivityCounters) => VmActivity | undefined {
  let before: { readonly atMilliseconds: number; readonly counters: ActivityCounters } | undefined;
  return (counters) => {
    const atMilliseconds = clock.monotonicMilliseconds();
    const activity =
      before &&
      activityBetween(before.counters, counters, atMilliseconds - before.atMilliseconds, vcpus);
    before = { atMilliseconds, counters };
    return activity;
  };
}
