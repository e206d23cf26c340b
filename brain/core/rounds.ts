/**
 * Derives rounds from samples. A round is one pass over the backlog; it ends with a bitmap sync,
 * seen as a step of dirty-sync-count. QEMU 9.2 on also syncs by a timer while auto-converge is
 * armed: a sync at which less than half of the known backlog had been sent is no round, unless so
 * little was left that QEMU synced by itself: near the switchover rounds are short.
 */
import type { MigrationSample, RamSample } from '../../shared/sample.ts';
import { isFollowed } from './following.ts';
import type { Migration, OpenRound, Round } from './migration.ts';
import { sentPages } from './rates.ts';

const fullRoundShare = 0.5;
/** QEMU measures its bandwidth anew every 100 ms, so its threshold differs a little from ours. */
const thresholdTolerance = 1.1;

/** Takes a sample into the open round, and closes it when the sample is the first after its sync. */
export function observeRound(
  migration: Migration,
  sample: MigrationSample,
  passedMilliseconds: number,
): Migration {
  const ram = sample.ram;
  if (!ram || sample.status === 'setup') return migration;
  const open = migration.openRound;
  if (!open)
    return { ...migration, openRound: opened(firstNumber(migration, ram), migration, sample, ram) };
  const running = {
    ...open,
    guestRunMilliseconds:
      open.guestRunMilliseconds + passedMilliseconds * (1 - sample.throttlePercent / 100),
  };
  if (ram.dirtySyncCount <= open.dirtySyncCount) return { ...migration, openRound: running };
  if (!isFullPass(running, migration, sample, ram)) {
    return { ...migration, openRound: { ...running, dirtySyncCount: ram.dirtySyncCount } };
  }
  return {
    ...migration,
    rounds: [...migration.rounds, closed(running, migration, sample, ram)],
    openRound: opened(open.number + 1, migration, sample, ram),
  };
}

/** One that somebody else has started may be taken up amid its way: syncs tell its passes. */
function firstNumber(migration: Migration, ram: RamSample): number {
  return isFollowed(migration) ? Math.max(1, ram.dirtySyncCount) : 1;
}

function opened(
  number: number,
  migration: Migration,
  sample: MigrationSample,
  ram: RamSample,
): OpenRound {
  return {
    number,
    startedAtMilliseconds: migration.nowMilliseconds,
    startRemainingBytes: ram.remainingBytes,
    startTransferredBytes: ram.transferredBytes,
    startSentPages: sentPages(sample),
    dirtySyncCount: ram.dirtySyncCount,
    guestRunMilliseconds: 0,
  };
}

function isFullPass(
  open: OpenRound,
  migration: Migration,
  sample: MigrationSample,
  ram: RamSample,
): boolean {
  const startBytes = open.startRemainingBytes;
  const sentBytes = drainedBytes(open, sample, ram);
  const littleBytes = thresholdTolerance * (switchoverBytes(migration) ?? 0);
  return sentBytes >= fullRoundShare * startBytes || startBytes - sentBytes <= littleBytes;
}

/** QEMU syncs by itself when less than this is left; undefined before the link is measured. */
export function switchoverBytes({
  tuning,
  bandwidthBytesPerSecond,
}: Migration): number | undefined {
  const told = tuning.availSwitchoverBandwidthBytesPerSecond ?? 0;
  const rate = told > 0 ? told : bandwidthBytesPerSecond;
  const limitMilliseconds = tuning.downtimeLimitMilliseconds;
  return rate === undefined || limitMilliseconds === undefined
    ? undefined
    : (rate * limitMilliseconds) / 1000;
}

function drainedBytes(open: OpenRound, sample: MigrationSample, ram: RamSample): number {
  return (sentPages(sample) - open.startSentPages) * ram.pageBytes;
}

function closed(
  open: OpenRound,
  migration: Migration,
  sample: MigrationSample,
  ram: RamSample,
): Round {
  return {
    number: open.number,
    attempt: migration.attempts.length,
    startedAtMilliseconds: open.startedAtMilliseconds,
    endedAtMilliseconds: migration.nowMilliseconds,
    startRemainingBytes: open.startRemainingBytes,
    endRemainingBytes: ram.remainingBytes,
    unsentBytes: Math.max(0, open.startRemainingBytes - drainedBytes(open, sample, ram)),
    transferredBytes: ram.transferredBytes - open.startTransferredBytes,
    guestRunMilliseconds: open.guestRunMilliseconds,
    throttlePercent: sample.throttlePercent,
  };
}

/** The full rounds of the attempt that runs now, oldest first. */
export function roundsOfAttempt(migration: Migration): readonly Round[] {
  return migration.rounds.filter((round) => round.attempt === migration.attempts.length);
}
