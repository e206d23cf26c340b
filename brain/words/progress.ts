/** How far a migration is: the figures that every view shows, derived in one place. */
import type { Migration } from '../core/migration.ts';
import { dirtyBytesPerSecond } from '../core/working-set.ts';

/** Milliseconds since the order, or since the first `migrate` once there was one. */
export function elapsedMilliseconds(migration: Migration): number {
  const started = migration.attempts[0]?.startedAtMilliseconds ?? migration.orderedAtMilliseconds;
  return started === undefined ? 0 : Math.max(0, migration.nowMilliseconds - started);
}

/** What is left of the newest prediction, which was made from its decision on; undefined without one. */
export function expectedMillisecondsLeft(migration: Migration): number | undefined {
  if (migration.result !== undefined) return undefined;
  const newest = migration.decisions.findLast(
    ({ decision }) => decision.prediction?.totalMilliseconds !== undefined,
  )?.decision;
  if (newest === undefined) return undefined;
  const predicted = newest.prediction?.totalMilliseconds ?? 0;
  const left = newest.atMilliseconds + predicted - migration.nowMilliseconds;
  return Number.isFinite(left) && left > 0 ? left : undefined;
}

/**
 * What the guest writes now, bytes per second; undefined before the first sample. The model of the
 * working set knows more than QEMU's own figure, which never exceeds the link's.
 */
export function guestBytesPerSecond({ workingSet, last }: Migration): number | undefined {
  if (last?.ram === undefined) return undefined;
  if (workingSet === undefined) return last.ram.dirtyPagesPerSecond * last.ram.pageBytes;
  return dirtyBytesPerSecond(workingSet) * (1 - last.throttlePercent / 100);
}
