/** Speculates on the workload: the working set from the probe's curve and every round since. */
import type { Migration, Round } from './migration.ts';
import { switchoverBytes } from './rounds.ts';
import {
  dirtiedBytes,
  fitWorkingSet,
  type WorkingSet,
  type WorkingSetPoint,
} from './working-set.ts';

/** A round is an exact count where the probe is a sample; older rounds fade. */
const roundWeight = 3;
const fading = 0.6;
const shiftRatio = 1.4;

/** The migration with its working set fitted anew to all that is known. */
export function withWorkingSet(migration: Migration): Migration {
  const { workingSet, surprise } = learnWorkingSet(migration);
  return { ...migration, workingSet, surprise };
}

/** What was learnt, and the newest round's dirtying over what the model had expected of it. */
export interface Lesson {
  readonly workingSet: WorkingSet;
  readonly surprise: number;
}

/**
 * Fits W to all that is known. When the newest round contradicts the model (a new phase of the
 * workload), everything older keeps its shape and is scaled to that round.
 */
export function learnWorkingSet(migration: Migration): Lesson {
  const limitBytes = migration.source?.ramBytes ?? Infinity;
  const older = [
    ...probePoints(migration),
    ...migration.rounds
      .slice(0, -1)
      .map((round, index, all) =>
        roundPoint(round, migration, roundWeight * fading ** (all.length - index)),
      ),
  ];
  const newest = migration.rounds.at(-1);
  if (!newest) return { workingSet: fitWorkingSet(older, limitBytes), surprise: 1 };
  const point = roundPoint(newest, migration, roundWeight);
  const surprise = surpriseOf(fitWorkingSet(older, limitBytes), point);
  const scale = isShift(surprise) ? surprise : 1;
  const scaled = older.map((each) => ({ ...each, dirtyBytes: each.dirtyBytes * scale }));
  return { workingSet: fitWorkingSet([...scaled, point], limitBytes), surprise };
}

function probePoints(migration: Migration): WorkingSetPoint[] {
  return (migration.probe?.dirtyCurve ?? []).map((each) => ({
    runSeconds: each.windowMilliseconds / 1000,
    dirtyBytes: each.dirtyBytes,
    weight: 1,
  }));
}

/**
 * What a round dirtied: the backlog it left, less what it had not sent and the guest did not dirty
 * again. Where that leftover is most of the backlog the difference says little, and weighs little.
 */
function roundPoint(round: Round, migration: Migration, weight: number): WorkingSetPoint {
  // XBZRLE pages that did not change are skipped uncounted: no more was unsent than QEMU syncs at.
  const threshold = switchoverBytes(migration) ?? Infinity;
  const leftover = Math.min(round.unsentBytes, threshold, round.endRemainingBytes);
  const largest = Math.max(round.endRemainingBytes, migration.workingSet?.bytes ?? 0, 1);
  const newShare = 1 - leftover / Math.max(1, round.endRemainingBytes);
  return {
    runSeconds: round.guestRunMilliseconds / 1000,
    dirtyBytes: (round.endRemainingBytes - leftover) / Math.max(0.1, 1 - leftover / largest),
    weight: weight * newShare ** 2,
  };
}

function surpriseOf(model: WorkingSet, point: WorkingSetPoint): number {
  const expected = dirtiedBytes(model, point.runSeconds);
  return expected > 0 ? point.dirtyBytes / expected : 1;
}

/** Whether a surprise is too great for noise: the workload itself has changed. */
export function isShift(surprise: number): boolean {
  return surprise > shiftRatio || surprise < 1 / shiftRatio;
}
