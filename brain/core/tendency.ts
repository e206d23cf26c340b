/**
 * The tendency detector: is this migration going to end by itself?
 *
 * The talk watches the dirty page rate; on today's QEMU that figure saturates at the link rate and
 * rises just when rounds shorten, so the verdict rests on backlogs at round boundaries instead:
 * - leak = D (1 - V_L/H) / R, the factor by which the excess backlog shrinks per round: below 1 it
 *   converges, above 1 it cannot;
 * - a full round that left at least as much as it found proves non-convergence (W is concave).
 */
import { inertThrottlePercent } from './budget.ts';
import { runningCourse } from './estimate.ts';
import type { Migration } from './migration.ts';
import { roundsOfAttempt } from './rounds.ts';
import { dirtyBytesPerSecond } from './working-set.ts';

export type Verdict = 'unknown' | 'first-pass' | 'converging' | 'plateau' | 'diverging';

export interface Tendency {
  readonly verdict: Verdict;
  /** Predicted contraction of the excess backlog per round; absent without a model. */
  readonly leak?: number;
  /** Measured: backlog left over backlog found, of the last full round. */
  readonly contraction?: number;
}

/** A round that leaves this share of what it found is proof of non-convergence. */
export const divergingContraction = 0.98;
/** Less shrinking than this is a plateau: it may end, but not soon. */
const plateauContraction = 0.9;
const certainLeak = 1.05;

/** Where the migration is heading: by the model where there is one, and by what rounds have shown. */
export function tendency(migration: Migration): Tendency {
  const contraction = lastContraction(migration);
  const leak = leakOf(migration);
  const figures = {
    ...(leak !== undefined && { leak }),
    ...(contraction !== undefined && { contraction }),
  };
  return { verdict: verdictOf(migration, leak, contraction), ...figures };
}

function verdictOf(
  migration: Migration,
  leak: number | undefined,
  contraction: number | undefined,
): Verdict {
  if (contraction !== undefined && contraction >= divergingContraction) return 'diverging';
  if (leak !== undefined && leak > certainLeak) return 'diverging';
  if (contraction !== undefined && contraction > plateauContraction) return 'plateau';
  if (leak !== undefined || contraction !== undefined) return 'converging';
  return migration.openRound ? 'first-pass' : 'unknown';
}

/** Contraction of the last full round of this attempt; the first pass contracts nothing. */
export function lastContraction(migration: Migration): number | undefined {
  const round = roundsOfAttempt(migration).at(-1);
  return round && round.number > 1
    ? round.endRemainingBytes / round.startRemainingBytes
    : undefined;
}

/**
 * Proof by rounds alone, whatever the model says: the last two full rounds ran unthrottled and left
 * as much as they found. One such round may be the guest's change of heart.
 */
export function isProvenEndless(migration: Migration): boolean {
  const last = roundsOfAttempt(migration)
    .filter((round) => round.number > 1)
    .slice(-2);
  return (
    last.length === 2 &&
    last.every(
      (round) =>
        round.throttlePercent <= inertThrottlePercent &&
        round.endRemainingBytes >= divergingContraction * round.startRemainingBytes,
    )
  );
}

function leakOf(migration: Migration): number | undefined {
  const course = runningCourse(migration);
  const set = migration.workingSet;
  if (!course || !set) return undefined;
  if (set.bytes <= course.switchoverBytes) return 0;
  const run = 1 - (migration.last?.throttlePercent ?? 0) / 100;
  const rate = dirtyBytesPerSecond(set) * run * (1 - course.switchoverBytes / set.bytes);
  return rate / course.laterDrainBytesPerSecond;
}
