/**
 * The working-set model: W(tau), the distinct bytes that the guest dirties while it runs for tau.
 *
 * W is concave with W(0) = 0: a sum of classes of pages, each either hit at random
 * (H (1 - exp(-tau/T))) or swept in order (H min(tau/T, 1)), which covers uniform writers, hot sets
 * over a background, and memory testers. The law of time dilation, measured on QEMU 7.2 and 10.0, is
 * W_throttled(t) = W((1 - throttle) t): so tau is always guest run time.
 */

export interface WorkingSetClass {
  readonly shape: 'random' | 'sweep';
  readonly bytes: number;
  /** Time constant T of a random class; full sweep time of a swept one. */
  readonly seconds: number;
}

export interface WorkingSet {
  readonly classes: readonly WorkingSetClass[];
  /** What can become dirty as far ahead as the observations reach, see working-set-fit.ts; no more than the classes. */
  readonly bytes: number;
}

/** Of a guest that writes nothing, or of which nothing is known. */
export const noWrites: WorkingSet = { classes: [], bytes: 0 };

/** Bytes dirtied within `runSeconds` of guest run time. */
export function dirtiedBytes(set: WorkingSet, runSeconds: number): number {
  let bytes = 0;
  for (const each of set.classes) bytes += each.bytes * saturation(each, runSeconds);
  return bytes;
}

/** What of a backlog still waits to be sent. */
export interface Leftover {
  /** As a share of all pages that might be among it. */
  readonly share: number;
  /** Guest run time of the round that made this backlog, and what of it is left. */
  readonly madeInSeconds: number;
  readonly ofBacklogShare: number;
}

/**
 * Bytes dirtied within `runSeconds` that were not waiting to be sent already. Random writes meet the
 * leftover as often as other pages; a sweep comes to all others first.
 */
export function newlyDirtiedBytes(set: WorkingSet, runSeconds: number, left: Leftover): number {
  return set.classes.reduce((sum, each) => {
    const share = saturation(each, runSeconds);
    if (each.shape === 'random') return sum + each.bytes * share * Math.max(0, 1 - left.share);
    const again = Math.max(0, saturation(each, left.madeInSeconds) + share - 1);
    return sum + each.bytes * (share - left.ofBacklogShare * again);
  }, 0);
}

/** Mean rate at which distinct bytes become dirty over a short window, by default one rate-limit window of QEMU. */
export function dirtyBytesPerSecond(set: WorkingSet, windowSeconds = 0.1): number {
  return dirtiedBytes(set, windowSeconds) / windowSeconds;
}

/** The share of a class that is dirtied within `runSeconds`. */
export function saturation(
  each: Pick<WorkingSetClass, 'shape' | 'seconds'>,
  runSeconds: number,
): number {
  const ratio = runSeconds / each.seconds;
  return each.shape === 'random' ? 1 - Math.exp(-ratio) : Math.min(ratio, 1);
}
