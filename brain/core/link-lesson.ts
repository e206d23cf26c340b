/** What a migration teaches about its link, for those that will follow it. */
import { drainRates } from './families.ts';
import type { Migration, Round } from './migration.ts';

/** A shorter round says more about buffers than about the link. */
const tellingMilliseconds = 500;
/** The CPU's part is known roughly: drained at more than this of what it could, it may have been the bound. */
const freeCpuShare = 0.6;

/**
 * What the link was found to carry: the most that a long round got through it. Undefined where no
 * round was bound by the link, because encoding or skipping empty pages took the time.
 */
export function learnedBytesPerSecond(migration: Migration): number | undefined {
  const rates = migration.rounds
    .filter((round) => isTelling(migration, round))
    .map((round) => round.transferredBytes / secondsOf(round));
  return rates.length === 0 ? undefined : Math.max(...rates);
}

function isTelling(migration: Migration, round: Round): boolean {
  const family = migration.attempts[round.attempt - 1]?.arming.family;
  if (family === undefined || secondsOf(round) * 1000 < tellingMilliseconds) return false;
  const drained = (round.startRemainingBytes - round.unsentBytes) / secondsOf(round);
  const { firstPassBytesPerSecond: bound } = drainRates(migration, family, Infinity);
  return drained < freeCpuShare * bound;
}

function secondsOf(round: Round): number {
  return (round.endedAtMilliseconds - round.startedAtMilliseconds) / 1000;
}
