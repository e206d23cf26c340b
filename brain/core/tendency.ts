/**
 * The tendency detector: is this migration going to end by itself?
 *
 * The talk watches the dirty page rate; on today's QEMU that figure saturates at the link rate and
 * rises just when rounds shorten, so the verdict rests on backlogs at round boundaries instead:
 * - leak = D (1 - V_L/H) / R, the factor by which the excess backlog shrinks per round: below 1 it
 *   converges, above 1 it cannot;
 * - a full round that left at least as much as it found proves non-convergence (W is concave).
 *
 * The verdict speaks of the moment and may change with every round. The call, `isCalledEndless`, is
 * what may be acted upon: it waits for a second round to confirm the first.
 */
import { inertThrottlePercent } from './budget.ts';
import { runningCourse } from './estimate.ts';
import type { Migration, Round } from './migration.ts';
import { roundsOfAttempt, switchoverBytes } from './rounds.ts';
import { isShift } from './workload.ts';
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
  const round = contractingRounds(migration).at(-1);
  return round && round.endRemainingBytes / round.startRemainingBytes;
}

/** The first pass finds all of RAM, whatever the guest does: it contracts nothing. */
function contractingRounds(migration: Migration): readonly Round[] {
  return roundsOfAttempt(migration).filter((round) => round.number > 1);
}

/**
 * Proof by rounds alone, whatever the model says: the last two full rounds ran unthrottled and left
 * as much as they found. One such round may be the guest's change of heart.
 */
export function isProvenEndless(migration: Migration): boolean {
  const last = contractingRounds(migration).slice(-2);
  return (
    last.length === 2 &&
    last.every(
      (round) =>
        round.throttlePercent <= inertThrottlePercent &&
        round.endRemainingBytes >= divergingContraction * round.startRemainingBytes,
    )
  );
}

/** Share of the excess that a round leaves: this much is evidence, that much does not contradict it. */
const evidentShare = 0.95;
const compatibleShare = 0.8;

/**
 * The call: as the guest writes now, this migration will not end by itself.
 *
 * What counts is the excess over the switchover threshold, for near it whole backlogs hardly shrink
 * although the end is near. One round may be chance, or a burst that has just passed: its neighbour
 * must not contradict it, or the model must have foreseen it. No more can be known at the time:
 * whether the guest goes on like this is up to the guest.
 */
export function isCalledEndless(migration: Migration): boolean {
  const [last = 0, before = 0] = excessShares(migration);
  const isConfirmed =
    Math.min(last, before) >= compatibleShare && Math.max(last, before) >= evidentShare;
  return isConfirmed || (last >= evidentShare && isForeseen(migration));
}

/** The model says that it cannot end, and nothing that happened lately came as a surprise to it. */
function isForeseen(migration: Migration): boolean {
  return (leakOf(migration) ?? 0) > certainLeak && !isShift(migration.surprise ?? Infinity);
}

/** Of the rounds under the throttle of the last one, newest first: excess left over excess found. */
function excessShares(migration: Migration): readonly number[] {
  const threshold = switchoverBytes(migration) ?? 0;
  const rounds = contractingRounds(migration);
  return rounds
    .filter((round) => round.throttlePercent === rounds.at(-1)?.throttlePercent)
    .map((round) => {
      const foundBytes = round.startRemainingBytes - threshold;
      return foundBytes > 0 ? (round.endRemainingBytes - threshold) / foundBytes : 0;
    })
    .reverse();
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
