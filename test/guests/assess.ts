/** A span in which the guest ran on neither side. */
export interface Gap {
  /** Unix time of its start. */
  readonly startMilliseconds: number;
  readonly durationMilliseconds: number;
}

/** What was seen of a guest from outside, on whichever side it ran. */
export interface Observation {
  /** Unix times of the samples, rising. */
  readonly timesMilliseconds: readonly number[];
  /** Units of work done up to each sample. */
  readonly work: readonly number[];
  /** Pages dirtied up to each sample. */
  readonly pages: readonly number[];
  /** Every gap of a few milliseconds or more, in order of time. */
  readonly gaps: readonly Gap[];
}

/** What a migration did to the guest. */
export interface GuestCost {
  readonly baselineUnitsPerSecond: number;
  /** Work that the guest would have done before, and did not do in the window, in its seconds. */
  readonly guestWorkLostSeconds: number;
  /** The same, as a share of the window. */
  readonly guestWorkLostPercent: number;
  readonly longestGuestGapMilliseconds: number;
  /** Gaps that began within the window. */
  readonly gaps: readonly Gap[];
}

const baselineMilliseconds = 3000;
/** After the end the guest still suffers (cold caches, pages to fetch): that counts too. */
const aftermathMilliseconds = 2000;

/** How long before and after a migration the guest must be watched. */
export const watchMilliseconds = { before: baselineMilliseconds, after: aftermathMilliseconds };

/**
 * The guest's cost of a migration that lasted from `startMilliseconds` to `endMilliseconds` (Unix
 * time). The window ends two seconds after the end; the baseline is the three seconds before the
 * start. Throws when the guest was not watched for all of that, or did nothing before.
 */
export function assessMigration(
  observation: Observation,
  startMilliseconds: number,
  endMilliseconds: number,
): GuestCost {
  const windowEnd = endMilliseconds + aftermathMilliseconds;
  const windowSeconds = (windowEnd - startMilliseconds) / 1000;
  const baseline = rateBetween(
    observation,
    observation.work,
    startMilliseconds - baselineMilliseconds,
    startMilliseconds,
  );
  if (baseline === 0) throw new Error('the guest did no work in the seconds before the start');
  const rate = rateBetween(observation, observation.work, startMilliseconds, windowEnd);
  const lostSeconds = (1 - rate / baseline) * windowSeconds;
  const gaps = observation.gaps.filter(
    (gap) => gap.startMilliseconds >= startMilliseconds && gap.startMilliseconds <= windowEnd,
  );
  return {
    baselineUnitsPerSecond: baseline,
    guestWorkLostSeconds: lostSeconds,
    guestWorkLostPercent: (100 * lostSeconds) / windowSeconds,
    longestGuestGapMilliseconds: Math.max(0, ...gaps.map((gap) => gap.durationMilliseconds)),
    gaps,
  };
}

/** Mean growth per second of a counter between two Unix times. Throws when not watched then. */
export function rateBetween(
  { timesMilliseconds }: Observation,
  counter: readonly number[],
  fromMilliseconds: number,
  toMilliseconds: number,
): number {
  const from = valueAt(timesMilliseconds, counter, fromMilliseconds);
  const to = valueAt(timesMilliseconds, counter, toMilliseconds);
  return ((to - from) * 1000) / (toMilliseconds - fromMilliseconds);
}

/** Interpolates linearly between the samples on both sides of `time`. */
function valueAt(times: readonly number[], values: readonly number[], time: number): number {
  const after = times.findIndex((each) => each >= time);
  const [t0, t1] = [times[after - 1], times[after]];
  const [v0, v1] = [values[after - 1], values[after]];
  if (t0 === undefined || t1 === undefined || v0 === undefined || v1 === undefined) {
    const watched = `${String(times[0])} to ${String(times.at(-1))}`;
    throw new RangeError(`not watched at ${String(time)}, only from ${watched} (Unix ms)`);
  }
  return v0 + ((v1 - v0) * (time - t0)) / (t1 - t0);
}
