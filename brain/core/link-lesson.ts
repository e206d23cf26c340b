/** What a migration teaches about its link, for those that will follow it. */
import type { Family } from '../../shared/sample.ts';
import { drainRates } from './families.ts';
import type { Migration, Round } from './migration.ts';

/** A shorter round says more about buffers than about the link. */
const tellingMilliseconds = 500;
/** What the kernel takes of one connection at once and sends later: `tcp_wmem` at its largest. */
const bufferBytes = 4 * 2 ** 20;
/** A round of which more than this may have waited there says nothing. */
const bufferedShare = 0.25;
/** Where compression saves less, the bytes are those before it: so QEMU 7.2 counts multifd's. */
const uncompressedShare = 0.9;
/** The CPU's part is known roughly: drained at more than this of what it could, it may have been the bound. */
const freeCpuShare = 0.6;

/**
 * What the link was found to carry: the most that a long round got through it. Undefined where no
 * round was bound by the link, because encoding or skipping empty pages took the time.
 */
export function learnedBytesPerSecond(migration: Migration): number | undefined {
  const rates = migration.rounds
    .filter((round) => isTelling(migration, round))
    .map((round) => (round.transferredBytes - bufferedBytes(migration, round)) / secondsOf(round));
  return rates.length === 0 ? undefined : Math.max(...rates);
}

function isTelling(migration: Migration, round: Round): boolean {
  const family = migration.attempts[round.attempt - 1]?.arming.family;
  if (family === undefined || secondsOf(round) * 1000 < tellingMilliseconds) return false;
  if (bufferedBytes(migration, round) > bufferedShare * round.transferredBytes) return false;
  const drainedBytes = round.startRemainingBytes - round.unsentBytes;
  if (isCompressing(family) && round.transferredBytes > uncompressedShare * drainedBytes) {
    return false;
  }
  const { firstPassBytesPerSecond: bound } = drainRates(migration, family, Infinity);
  return drainedBytes / secondsOf(round) < freeCpuShare * bound;
}

function isCompressing(family: Family): boolean {
  return family === 'multifd-zlib' || family === 'multifd-zstd';
}

function bufferedBytes({ attempts }: Migration, { attempt }: Round): number {
  return (attempts[attempt - 1]?.arming.multifdChannels ?? 1) * bufferBytes;
}

function secondsOf(round: Round): number {
  return (round.endedAtMilliseconds - round.startedAtMilliseconds) / 1000;
}
