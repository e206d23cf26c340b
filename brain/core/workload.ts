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
 * What was known before the workload changed says the less of what it does now, the more it changed: a
 * hot set that a probe took too small is no new workload, a guest of five times the rate is. But where
 * rounds leave open what happens in a shorter while, the shape of what was before is better than none.
 */
const trustAfter = (surprise: number) =>
  Math.max(leastTrust, (shiftRatio / Math.max(surprise, 1 / surprise)) ** 4);

const leastTrust = 0.002;
const trustBeyond = 0.01;
/** Of a round in which nothing new was dirtied. */
const leastSurprise = 1e-3;
/** By which one round may miss what the same guest did in another. */
const noise = 1.15;

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
 * Fits W to all that is known. Where rounds contradicted what was observed before them (a new phase of
 * the workload), that keeps its shape, is scaled to them, and counts for little from then on.
 */
export function learnWorkingSet(migration: Migration, lean: Lean = 'likely'): Lesson {
  const limitBytes = migration.source?.ramBytes ?? Infinity;
  const former = migration.rounds.slice(0, -1);
  const newest = migration.rounds.at(-1);
  const before = observedPoints(migration, former);
  if (!newest) return { workingSet: fitWorkingSet(before, limitBytes, lean), surprise: 1 };
  const point = roundPoint(newest, migration, roundWeight);
  const surprise = surpriseOf(fitWorkingSet(before, limitBytes), point);
  const now = observedPoints(migration, [...former, { ...newest, surprise }]);
  return { workingSet: fitWorkingSet(now, limitBytes, lean), surprise };
}

/** The probe's points and those of the rounds, oldest first, each as what came after it lets it be seen. */
function observedPoints(migration: Migration, rounds: readonly Round[]): WorkingSetPoint[] {
  const ofRounds = rounds.flatMap((round, index) => {
    const later = rounds.slice(index + 1);
    const point = roundPoint(round, migration, roundWeight * fading ** later.length);
    return seenFrom(migration, later, [point]);
  });
  return [...seenFrom(migration, rounds, probePoints(migration)), ...ofRounds];
}

/**
 * Points that were observed together, after all rounds that contradict them. One contradiction that is
 * too great for noise is a new phase: they are scaled to it. Small ones that all say the same add up,
 * and take their trust away too: the shape was wrong, or another one came over some rounds.
 */
function seenFrom(
  migration: Migration,
  later: readonly Round[],
  points: readonly WorkingSetPoint[],
): readonly WorkingSetPoint[] {
  let drift = 1;
  let seen = points;
  for (const round of later) {
    if (isBorneOut(seen, roundPoint(round, migration, 1))) continue;
    const { surprise = 1 } = round;
    const share = newShare(round, migration) ** 2;
    drift *= Math.max(surprise, leastSurprise) ** share;
    const trust = isShift(drift) ? trustAfter(drift) : 1;
    seen = seen.map((point) =>
      isShift(surprise) ? shifted(point, round, share) : { ...point, weight: point.weight * trust },
    );
  }
  return seen;
}

/**
 * Scaled to a new phase, for which what was known says little, and next to nothing of a longer while
 * than the round that showed it.
 */
function shifted(
  point: WorkingSetPoint,
  { guestRunMilliseconds, surprise = 1 }: Round,
  newShareSquared: number,
): WorkingSetPoint {
  const reach = point.runSeconds > guestRunMilliseconds / 1000 ? trustBeyond : 1;
  const trust = (reach * trustAfter(surprise)) ** newShareSquared;
  return { ...point, dirtyBytes: point.dirtyBytes * surprise, weight: point.weight * trust };
}

/**
 * Whether a round may come from the same W as what was observed before, whatever a model made of that: W
 * rises, and ever more slowly. Judged by the point of about the same span.
 */
function isBorneOut(points: readonly WorkingSetPoint[], round: WorkingSetPoint): boolean {
  const nearest = nearestTo(round.runSeconds, points);
  if (!nearest || nearest.dirtyBytes <= 0) return false;
  const span = round.runSeconds / nearest.runSeconds;
  const ratio = round.dirtyBytes / nearest.dirtyBytes;
  return ratio > Math.min(1, span) / noise && ratio < Math.max(1, span) * noise;
}

function nearestTo(
  runSeconds: number,
  points: readonly WorkingSetPoint[],
): WorkingSetPoint | undefined {
  const distance = (point: WorkingSetPoint) => Math.abs(Math.log(point.runSeconds / runSeconds));
  return points.reduce<WorkingSetPoint | undefined>(
    (best, point) => (best && distance(best) <= distance(point) ? best : point),
    undefined,
  );
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
