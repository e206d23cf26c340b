/** Two rates, kept apart: bytes on the wire, and guest RAM drained (they differ by the compression). */
import type { Family, MigrationSample, RamSample } from '../../shared/sample.ts';
import { drainRates, firstRateRounds } from './families.ts';
import type { Migration } from './migration.ts';

/** QEMU refreshes its counters every 100 ms; a shorter span measures the polling. */
const shortestSpanMilliseconds = 60;
/** Time over which older measurements fade. */
const memoryMilliseconds = 400;
/** The first bytes only fill socket buffers. */
const settleMilliseconds = 250;

/** Pages that QEMU dealt with so far, whatever became of them on the wire. */
export function sentPages(sample: MigrationSample): number {
  const ram = sample.ram;
  if (!ram) return 0;
  return (
    ram.normalPages +
    ram.duplicatePages +
    (sample.xbzrle?.encodedPages ?? 0) +
    (sample.compression?.pages ?? 0)
  );
}

/** Takes a sample's progress into both rates; what is too short or mostly zero pages says nothing. */
export function observeRates(
  migration: Migration,
  sample: MigrationSample,
  passedMilliseconds: number,
): Migration {
  const before = migration.last;
  const start = migration.attempts.at(-1)?.startedAtMilliseconds ?? migration.nowMilliseconds;
  const settled = migration.nowMilliseconds - start - passedMilliseconds >= settleMilliseconds;
  if (!sample.ram || !before?.ram || !settled || passedMilliseconds < shortestSpanMilliseconds) {
    return migration;
  }
  const seconds = passedMilliseconds / 1000;
  const wire = (sample.ram.transferredBytes - before.ram.transferredBytes) / seconds;
  const pages = sentPages(sample) - sentPages(before);
  if (pages <= 0 || mostlyZeroPages(sample.ram, before.ram, pages)) return migration;
  return {
    ...migration,
    bandwidthBytesPerSecond: smooth(migration.bandwidthBytesPerSecond, wire, passedMilliseconds),
    ...drained(migration, (pages * sample.ram.pageBytes) / seconds, passedMilliseconds),
  };
}

/** Zero pages cost 9 bytes each: while QEMU skips through them the wire idles and says nothing. */
function mostlyZeroPages(now: RamSample, before: RamSample, pages: number): boolean {
  return now.duplicatePages - before.duplicatePages > pages / 4;
}

function drained(
  migration: Migration,
  bytesPerSecond: number,
  passedMilliseconds: number,
): Partial<Migration> {
  const family = migration.attempts.at(-1)?.arming.family ?? 'plain';
  const isFirst = (migration.openRound?.number ?? 1) <= firstRateRounds(family);
  if (isFirst) {
    const before = migration.firstPassBytesPerSecond;
    return { firstPassBytesPerSecond: smooth(before, bytesPerSecond, passedMilliseconds) };
  }
  const before = migration.laterRoundsBytesPerSecond ?? promisedBytesPerSecond(migration, family);
  return { laterRoundsBytesPerSecond: smooth(before, bytesPerSecond, passedMilliseconds) };
}

/**
 * Later rounds are measured against what the probe promised of them: the first pages of XBZRLE's
 * third pass are those that its second did not reach, and go whole.
 */
function promisedBytesPerSecond(migration: Migration, family: Family): number | undefined {
  const wire = migration.bandwidthBytesPerSecond;
  return wire === undefined
    ? undefined
    : drainRates(migration, family, wire).laterRoundsBytesPerSecond;
}

function smooth(before: number | undefined, now: number, passedMilliseconds: number): number {
  if (before === undefined) return now;
  const weight = 1 - Math.exp(-passedMilliseconds / memoryMilliseconds);
  return before + weight * (now - before);
}
