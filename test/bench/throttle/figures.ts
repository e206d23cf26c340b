/** What the throttle bench makes of its windows; pure. */
import { median } from '../policies/statistics.ts';
import { rateBetween, type Gap, type Observation } from '../../guests/assess.ts';

/** What was seen of a guest over a few seconds, in steady state. */
export interface Window {
  readonly workUnitsPerSecond: number;
  readonly longestGapMilliseconds: number;
  /** Of the gaps of 5 ms or more. */
  readonly p99GapMilliseconds: number;
  /** CPU time of its vCPU threads per second. */
  readonly vcpuCores: number;
  /** Round trips of `query-status`. */
  readonly monitor: Latency;
  readonly diskBytesPerSecond: number;
}

export interface Latency {
  readonly medianMilliseconds: number;
  readonly p99Milliseconds: number;
  readonly longestMilliseconds: number;
}

/** One mechanism on one guest. */
export interface Row extends Window {
  readonly guest: string;
  readonly mechanism: 'none' | 'qemu' | 'cgroup';
  /** Of the quota; absent where there is none. */
  readonly periodMicroseconds?: number;
  /** Set as the agent sets it, not matched to the work that QEMU's throttle leaves. */
  readonly isProduct?: boolean;
}

/** Work that differs by less than this is the same work: runs of one setting differ by as much. */
const sameWorkShare = 0.2;

/** The value that `share` (0 to 1) of all values do not exceed; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

export function latencyOf(milliseconds: readonly number[]): Latency {
  return {
    medianMilliseconds: quantile(milliseconds, 0.5),
    p99Milliseconds: quantile(milliseconds, 0.99),
    longestMilliseconds: quantile(milliseconds, 1),
  };
}

/** Field by field the median, which one disturbance of the host does not move. */
export function medianWindow(windows: readonly Window[]): Window {
  const of = (figure: (window: Window) => number): number => median(windows.map(figure));
  return {
    workUnitsPerSecond: of((window) => window.workUnitsPerSecond),
    longestGapMilliseconds: of((window) => window.longestGapMilliseconds),
    p99GapMilliseconds: of((window) => window.p99GapMilliseconds),
    vcpuCores: of((window) => window.vcpuCores),
    monitor: {
      medianMilliseconds: of(({ monitor }) => monitor.medianMilliseconds),
      p99Milliseconds: of(({ monitor }) => monitor.p99Milliseconds),
      longestMilliseconds: of(({ monitor }) => monitor.longestMilliseconds),
    },
    diskBytesPerSecond: of((window) => window.diskBytesPerSecond),
  };
}

/** Work and gaps between two Unix times. Throws RangeError when the guest was not watched then. */
export function guestFigures(
  seen: Observation,
  fromMilliseconds: number,
  toMilliseconds: number,
): Pick<Window, 'workUnitsPerSecond' | 'longestGapMilliseconds' | 'p99GapMilliseconds'> {
  const isInside = ({ startMilliseconds, durationMilliseconds }: Gap): boolean =>
    startMilliseconds >= fromMilliseconds &&
    startMilliseconds + durationMilliseconds <= toMilliseconds;
  const gaps = seen.gaps.filter(isInside).map(({ durationMilliseconds }) => durationMilliseconds);
  return {
    workUnitsPerSecond: rateBetween(seen, seen.work, fromMilliseconds, toMilliseconds),
    longestGapMilliseconds: quantile(gaps, 1),
    p99GapMilliseconds: quantile(gaps, 0.99),
  };
}

/** The guest's work under this row over its work when nothing holds it back. */
export function workShare(row: Row, rows: readonly Row[]): number {
  const free = rows.find(({ guest, mechanism }) => guest === row.guest && mechanism === 'none');
  return row.workUnitsPerSecond / (free?.workUnitsPerSecond ?? NaN);
}

export interface Comparison {
  readonly guest: string;
  readonly qemu: Row;
  /** The quota of the shortest longest gap among those that leave the guest the same work. */
  readonly best: Row;
  /** Longest gap under QEMU's throttle over the longest under the best quota. */
  readonly gapRatio: number;
}

/** One comparison per guest for which QEMU's throttle and a quota of the same work were measured. */
export function compare(rows: readonly Row[]): Comparison[] {
  return rows
    .filter(({ mechanism }) => mechanism === 'qemu')
    .flatMap((qemu): Comparison[] => {
      const quotas = rows.filter(
        (row) =>
          row.guest === qemu.guest &&
          row.mechanism === 'cgroup' &&
          row.isProduct !== true &&
          Math.abs(row.workUnitsPerSecond / qemu.workUnitsPerSecond - 1) < sameWorkShare,
      );
      const [best] = quotas.sort(
        (one, other) => one.longestGapMilliseconds - other.longestGapMilliseconds,
      );
      if (best === undefined) return [];
      const gapRatio = qemu.longestGapMilliseconds / best.longestGapMilliseconds;
      return [{ guest: qemu.guest, qemu, best, gapRatio }];
    });
}
