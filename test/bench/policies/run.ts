/** What one migration was, whoever drove it; and what its readings tell. */

/** The source's own figures at one moment. */
export interface Reading {
  readonly atMilliseconds: number;
  readonly remainingBytes: number;
  readonly dirtySyncCount: number;
  readonly throttlePercent: number;
}

export interface Run {
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  readonly reason?: string;
  /** Unix time of the first `migrate`. */
  readonly startMilliseconds: number;
  readonly totalMilliseconds: number;
  readonly downtimeMilliseconds: number;
  readonly transferredBytes: number;
  readonly throttleSeconds: number;
  readonly maxThrottlePercent: number;
  readonly postCopy: boolean;
  readonly restarts: number;
  readonly readings: readonly Reading[];
}

/** The rounds of the last attempt: the backlog at the start of each, the first pass first. */
export interface Rounds {
  readonly backlogBytes: readonly number[];
  /** Index of the round in which a throttle above the inert one percent was first in force. */
  readonly throttledFromRound?: number;
}

/** Above this a throttle is felt; below, auto-converge is only armed. */
const inertPercent = 1;

export function roundsOf(readings: readonly Reading[]): Rounds {
  const last = readings.slice(lastAttemptBegin(readings));
  const starts = last.filter(
    ({ dirtySyncCount }, index) => dirtySyncCount !== last[index - 1]?.dirtySyncCount,
  );
  const backlogBytes = starts.map(({ remainingBytes }) => remainingBytes);
  const throttled = last.find(({ throttlePercent }) => throttlePercent > inertPercent);
  if (throttled === undefined) return { backlogBytes };
  const begun = starts.filter(({ atMilliseconds }) => atMilliseconds <= throttled.atMilliseconds);
  return { backlogBytes, throttledFromRound: begun.length - 1 };
}

/** A restart begins to count its syncs anew. */
function lastAttemptBegin(readings: readonly Reading[]): number {
  return Math.max(
    0,
    readings.findLastIndex(
      ({ dirtySyncCount }, index) => dirtySyncCount < (readings[index - 1]?.dirtySyncCount ?? 0),
    ),
  );
}

/** The integral of the throttle above the inert one percent, in seconds of a stopped guest. */
export function throttleSeconds(readings: readonly Reading[]): number {
  return readings.slice(1).reduce((sum, { atMilliseconds }, index) => {
    const before = readings[index];
    if (before === undefined || before.throttlePercent <= inertPercent) return sum;
    const seconds = (atMilliseconds - before.atMilliseconds) / 1000;
    return sum + (seconds * before.throttlePercent) / 100;
  }, 0);
}
