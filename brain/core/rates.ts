/** Two rates, kept apart: bytes on the wire, and guest RAM drained (they differ by the compression). */
import type { MigrationSample, RamSample } from '../../shared/sample.ts';
import { drainRates, firstRateRounds } from './families.ts';
import { queuedBytes } from './methods/downtime.ts';
import type { Migration } from './migration.ts';

/** multifd sends and counts in batches: a shorter span measures their rhythm, not the link. */
const spanMilliseconds = 240;
/** Time over which older measurements fade. */
const memoryMilliseconds = 400;
/** The first bytes only fill socket buffers. */
const settleMilliseconds = 90;

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

/**
 * QEMU's own figure of the bandwidth rests on the last 100 ms; its peak decides how much it may
 * believe the pause can carry. It fades, and the first filling of the socket does not count.
 */
export function observePeak(migration: Migration, sample: MigrationSample): Migration {
  const start = migration.attempts.at(-1)?.startedAtMilliseconds ?? migration.nowMilliseconds;
  const now = sample.ram?.bandwidthBytesPerSecond ?? 0;
  if (migration.nowMilliseconds - start < fillMilliseconds) return migration;
  const passed = migration.nowMilliseconds - (migration.lastSampleAtMilliseconds ?? start);
  const before = (migration.peakBytesPerSecond ?? 0) * Math.exp(-passed / peakMilliseconds);
  return { ...migration, peakBytesPerSecond: Math.max(now, before) };
}

const fillMilliseconds = 500;
const peakMilliseconds = 4000;

/** Takes the progress since the last mark into both rates, once the span is long enough to tell. */
export function observeRates(migration: Migration, sample: MigrationSample): Migration {
  const start = migration.attempts.at(-1)?.startedAtMilliseconds ?? migration.nowMilliseconds;
  if (!sample.ram || migration.nowMilliseconds - start < settleMilliseconds) return migration;
  const isFirst = isAtFirstRate(migration);
  const marked = {
    ...migration,
    rateMark: { atMilliseconds: migration.nowMilliseconds, sample, isFirst },
  };
  const mark = migration.rateMark;
  if (!mark?.sample.ram || mark.isFirst !== isFirst) return marked;
  const passed = migration.nowMilliseconds - mark.atMilliseconds;
  const pages = sentPages(sample) - sentPages(mark.sample);
  if (passed < spanMilliseconds || pages <= 0) return migration;
  if (isSwallowed(migration) || mostlyZeroPages(sample.ram, mark.sample.ram, pages)) return marked;
  const wireBytes = sample.ram.transferredBytes - mark.sample.ram.transferredBytes;
  const seconds = passed / 1000;
  return {
    ...marked,
    bandwidthBytesPerSecond: smooth(migration.bandwidthBytesPerSecond, wireBytes / seconds, passed),
    ...drained(migration, (pages * sample.ram.pageBytes) / seconds, passed),
  };
}

function isAtFirstRate(migration: Migration): boolean {
  const family = migration.attempts.at(-1)?.arming.family ?? 'plain';
  return (migration.openRound?.number ?? 1) <= firstRateRounds(family);
}

/** All of a round so small goes into the socket at once, and the time between is the syncs'. */
function isSwallowed({ openRound }: Migration): boolean {
  return (openRound?.startRemainingBytes ?? Infinity) < queuedBytes;
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
  if (isAtFirstRate(migration)) {
    const before = migration.firstPassBytesPerSecond;
    return { firstPassBytesPerSecond: smooth(before, bytesPerSecond, passedMilliseconds) };
  }
  const before = migration.laterRoundsBytesPerSecond ?? promisedBytesPerSecond(migration);
  return { laterRoundsBytesPerSecond: smooth(before, bytesPerSecond, passedMilliseconds) };
}

/**
 * Later rounds are measured against what the probe promised of them: the first pages of XBZRLE's
 * third pass are those that its second did not reach, and go whole.
 */
function promisedBytesPerSecond(migration: Migration): number | undefined {
  const family = migration.attempts.at(-1)?.arming.family ?? 'plain';
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
