/**
 * Turns what is known of a migration into a course for the model: the running one, or one that
 * would begin now in some family.
 */
import type { Family } from '../../shared/sample.ts';
import {
  countsBeforeCompression,
  drainRates,
  firstRateRounds,
  multifdConnections,
} from './families.ts';
import { currentLink } from './link.ts';
import {
  availSwitchoverBytesPerSecond,
  foreseenPauseLimitMilliseconds,
  pauseLimitMilliseconds,
  queuedBytes,
} from './methods/downtime.ts';
import type { Migration } from './migration.ts';
import type { Course } from './course.ts';

const noThrottle = [0, 0, 0] as const;

/** The gap that the VM's owner allows at switchover; QEMU's default of 300 ms without an order. */
export function downtimeLimitSeconds(migration: Migration): number {
  return (migration.order?.objective.downtimeLimitMilliseconds ?? 300) / 1000;
}

/** Non-zero guest RAM: what the first pass has to send. */
export function firstPassBytes(migration: Migration): number {
  return (migration.source?.ramBytes ?? 0) * (1 - (migration.probe?.zeroShare ?? 0));
}

function horizonSeconds(migration: Migration): number {
  const deadline = (migration.order?.objective.deadlineMilliseconds ?? 600_000) / 1000;
  const start = migration.attempts[0]?.startedAtMilliseconds ?? migration.nowMilliseconds;
  return Math.max(1, deadline - (migration.nowMilliseconds - start) / 1000);
}

/** The course of a migration that would start now in `family` over a link of this bandwidth. */
export function freshCourse(migration: Migration, family: Family, wire: number): Course {
  const rates = drainRates(migration, family, wire);
  const { counted, available } = switchoverRates(migration, family, wire);
  const limitSeconds = foreseenPauseLimitMilliseconds(migration, family, wire) / 1000;
  return {
    workingSet: migration.workingSet ?? { classes: [], bytes: 0 },
    drainBytesPerSecond: rates.firstPassBytesPerSecond,
    firstRounds: firstRateRounds(family),
    laterDrainBytesPerSecond: rates.laterRoundsBytesPerSecond,
    needsCopies: family === 'xbzrle',
    remainingBytes: firstPassBytes(migration),
    roundRunSeconds: 0,
    filledShare: 1 - (migration.probe?.zeroShare ?? 0),
    gulp: gulpOf(migration, family, wire),
    switchoverBytes: available * limitSeconds,
    // The test is armed uncorrected, see methods/downtime.ts; one round at the later rate has to be seen.
    uncorrected: {
      rounds: firstRateRounds(family) + 1,
      switchoverBytes: counted * limitSeconds,
    },
    throttles: noThrottle,
    horizonSeconds: horizonSeconds(migration),
  };
}

/** What QEMU takes the bandwidth for by itself, and once its test is corrected. */
function switchoverRates(migration: Migration, family: Family, wire: number) {
  if (countsBeforeCompression(migration, family)) {
    const drained = drainRates(migration, family, wire).laterRoundsBytesPerSecond;
    return { counted: drained, available: drained };
  }
  return {
    counted: wire,
    available: availSwitchoverBytesPerSecond(migration, family, wire) ?? wire,
  };
}

/** The kernel wakes a writer when a third of a full socket is free. */
const freeShare = 1 / 6;

/** The sockets' fill, as guest RAM; QEMU makes it as fast as a link without bounds would let it. */
function gulpOf(migration: Migration, family: Family, wire: number): NonNullable<Course['gulp']> {
  const connections = family.startsWith('multifd') ? multifdConnections(migration, family) : 1;
  const [flowing, free] = [wire, Infinity].map((each) => drainRates(migration, family, each));
  const ratio = (flowing?.firstPassBytesPerSecond ?? wire) / wire;
  const bytes = connections * queuedBytes * Math.max(1, ratio);
  return {
    bytes,
    bytesPerSecond: free?.firstPassBytesPerSecond ?? wire,
    freeBytes: bytes * freeShare,
  };
}

/** The course of the running migration, from its last sample on; undefined before there is one. */
export function runningCourse(migration: Migration): Course | undefined {
  const ram = migration.last?.ram;
  const attempt = migration.attempts.at(-1);
  if (!ram || !attempt || !migration.openRound) return undefined;
  const wire = currentLink(migration).bytesPerSecond;
  const rates = drainRates(migration, attempt.arming.family, wire);
  const first = migration.firstPassBytesPerSecond ?? rates.firstPassBytesPerSecond;
  const later = migration.laterRoundsBytesPerSecond ?? laterFromFirst(migration, first, rates);
  const firstRounds = Math.max(
    0,
    firstRateRounds(attempt.arming.family) + 1 - migration.openRound.number,
  );
  return {
    workingSet: migration.workingSet ?? { classes: [], bytes: 0 },
    drainBytesPerSecond: firstRounds > 0 ? first : later,
    firstRounds,
    laterDrainBytesPerSecond: later,
    needsCopies: firstRounds > 0 && attempt.arming.family === 'xbzrle',
    remainingBytes: unsentBytes(migration, ram),
    roundRunSeconds: migration.openRound.guestRunMilliseconds / 1000,
    switchoverBytes: runningSwitchoverBytes(migration, wire),
    throttles: noThrottle,
    horizonSeconds: horizonSeconds(migration),
  };
}

/** V_L as QEMU has been told it; a limit held lower for a while can be given back at any moment. */
function runningSwitchoverBytes(migration: Migration, wire: number): number {
  const { tuning } = migration;
  const limitMilliseconds = Math.max(
    pauseLimitMilliseconds(migration, wire),
    tuning.downtimeLimitMilliseconds ?? 0,
  );
  const told = tuning.availSwitchoverBandwidthBytesPerSecond ?? 0;
  return ((told > 0 ? told : wire) * limitMilliseconds) / 1000;
}

/** Until QEMU looks at the dirty bitmap again: the end of the running round. */
export function secondsToSync(course: Course): number {
  return (course.remainingBytes - course.switchoverBytes) / course.drainBytesPerSecond;
}

/** The course on which QEMU stops the guest at this share of the backlog that the limit allows. */
export function withSwitchoverShare(course: Course, share: number): Course {
  const { uncorrected } = course;
  return {
    ...course,
    switchoverBytes: course.switchoverBytes * share,
    ...(uncorrected && {
      uncorrected: { ...uncorrected, switchoverBytes: uncorrected.switchoverBytes * share },
    }),
  };
}

/** Until a later round is measured: what the probe promised, in proportion to the first pass. */
function laterFromFirst(
  migration: Migration,
  first: number,
  rates: ReturnType<typeof drainRates>,
): number {
  if (migration.firstPassBytesPerSecond === undefined) return rates.laterRoundsBytesPerSecond;
  return (first * rates.laterRoundsBytesPerSecond) / rates.firstPassBytesPerSecond;
}

/** In the first pass `remaining` counts zero pages that cost next to nothing to send. */
function unsentBytes(
  migration: Migration,
  ram: { readonly remainingBytes: number; readonly normalBytes: number },
): number {
  if (migration.openRound?.number !== 1 || !migration.probe) return ram.remainingBytes;
  return Math.min(ram.remainingBytes, Math.max(0, firstPassBytes(migration) - ram.normalBytes));
}
