/** Speculates on the workload: the working set from the probe's curve and every round since. */
import type { Migration, Round } from './migration.ts';
import { switchoverBytes } from './rounds.ts';
import { fitWorkingSet, type Lean, type WorkingSetPoint } from './working-set-fit.ts';
import { dirtiedBytes, type WorkingSet } from './working-set.ts';

/** A round is an exact count where the probe is a sample; older rounds fade. */
const roundWeight = 3;
const fading = 0.6;
/** Of all points of a probe together. */
const probeWeight = 5;
const shiftRatio = 1.4;

/**
 * What was known before the workload changed says the less of what it does now, the more it changed:
 * a hot set that a probe took too small is no new workload, a guest of five times the rate is.
 */
const trustAfter = (surprise: number) => (shiftRatio / Math.max(surprise, 1 / surprise)) ** 4;

const trustBeyond = 0.01;

/** The migration with its working set fitted anew to all that is known; its newest round keeps the surprise. */
export function withWorkingSet(migration: Migration, lean: Lean = 'likely'): Migration {
  const { workingSet, surprise } = learnWorkingSet(migration, lean);
  const newest = migration.rounds.at(-1);
  const rounds = newest
    ? [...migration.rounds.slice(0, -1), { ...newest, surprise }]
    : migration.rounds;
  return { ...migration, rounds, workingSet, surprise };
}

/** What was learnt, and the newest round's dirtying over what the model had expected of it. */
export interface Lesson {
  readonly workingSet: WorkingSet;
  readonly surprise: number;
}

/**
 * Fits W to all that is known. Where a round contradicted the model (a new phase of the workload),
 * everything older keeps its shape, is scaled to that round, and counts for little from then on.
 */
export function learnWorkingSet(migration: Migration, lean: Lean = 'likely'): Lesson {
  const limitBytes = migration.source?.ramBytes ?? Infinity;
  const former = migration.rounds.slice(0, -1);
  const older = [
    ...probePoints(migration).map((point) => seenFrom(migration, former, point)),
    ...former.map((round, index) => {
      const weight = roundWeight * fading ** (former.length - index);
      return seenFrom(migration, former.slice(index + 1), roundPoint(round, migration, weight));
    }),
  ];
  const newest = migration.rounds.at(-1);
  if (!newest) return { workingSet: fitWorkingSet(older, limitBytes, lean), surprise: 1 };
  const point = roundPoint(newest, migration, roundWeight);
  const surprise = surpriseOf(fitWorkingSet(older, limitBytes), point);
  const seen = older.map((each) => seenFrom(migration, [{ ...newest, surprise }], each));
  return { workingSet: fitWorkingSet([...seen, point], limitBytes, lean), surprise };
}

/** A point after all changes of the workload that came later. */
function seenFrom(
  migration: Migration,
  later: readonly Round[],
  point: WorkingSetPoint,
): WorkingSetPoint {
  return later.reduce((seen, round) => {
    const { surprise = 1, guestRunMilliseconds } = round;
    if (!isShift(surprise)) return seen;
    // How far the new phase reaches in a longer while than the round that showed it, nobody knows.
    const isShorter = seen.runSeconds <= guestRunMilliseconds / 1000;
    const trust = isShorter ? trustAfter(surprise) : trustBeyond;
    const weight = seen.weight * trust ** (newShare(round, migration) ** 2);
    return { ...seen, dirtyBytes: seen.dirtyBytes * surprise, weight };
  }, point);
}

/** A probe compares each snapshot with each other one: more points say no more, only more evenly. */
function probePoints(migration: Migration): WorkingSetPoint[] {
  const curve = migration.probe?.dirtyCurve ?? [];
  return curve.map((each) => ({
    runSeconds: each.windowMilliseconds / 1000,
    dirtyBytes: each.dirtyBytes,
    weight: Math.min(1, probeWeight / curve.length),
  }));
}

/**
 * What a round dirtied: the backlog it left, less what it had not sent and the guest did not dirty
 * again. Where that leftover is most of the backlog the difference says little, and weighs little.
 */
function roundPoint(round: Round, migration: Migration, weight: number): WorkingSetPoint {
  const leftover = leftoverBytes(round, migration);
  const largest = Math.max(round.endRemainingBytes, migration.workingSet?.bytes ?? 0, 1);
  return {
    runSeconds: round.guestRunMilliseconds / 1000,
    dirtyBytes: (round.endRemainingBytes - leftover) / Math.max(0.1, 1 - leftover / largest),
    weight: weight * newShare(round, migration) ** 2,
  };
}

/** XBZRLE pages that did not change are skipped uncounted: no more was unsent than QEMU syncs at. */
function leftoverBytes(round: Round, migration: Migration): number {
  const threshold = switchoverBytes(migration) ?? Infinity;
  return Math.min(round.unsentBytes, threshold, round.endRemainingBytes);
}

/** How much of the backlog that a round left is new: what the round says of the guest. */
function newShare(round: Round, migration: Migration): number {
  return 1 - leftoverBytes(round, migration) / Math.max(1, round.endRemainingBytes);
}

function surpriseOf(model: WorkingSet, point: WorkingSetPoint): number {
  const expected = dirtiedBytes(model, point.runSeconds);
  return expected > 0 ? point.dirtyBytes / expected : 1;
}

/** Whether a surprise is too great for noise: the workload itself has changed. */
export function isShift(surprise: number): boolean {
  return surprise > shiftRatio || surprise < 1 / shiftRatio;
}
