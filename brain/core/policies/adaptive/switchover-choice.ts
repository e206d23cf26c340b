/**
 * When to switch over. QEMU stops the guest at the first sync that leaves no more than the downtime
 * limit lets it send, and uses the limit up although one more round would often shorten the pause at
 * next to no cost. So as long as the backlog drains by itself the limit is held lower, and given
 * back in full as soon as waiting would not pay: a throttled, a diverging or an unsteady guest is
 * switched over at the first chance. QEMU takes a new limit within one iteration (50 ms).
 */
import type { Tuning } from '../../../../shared/command.ts';
import type { Family } from '../../../../shared/sample.ts';
import { forecastCost } from '../../cost.ts';
import {
  downtimeLimitSeconds,
  runningCourse,
  secondsToSync,
  withSwitchoverShare,
} from '../../estimate.ts';
import type { Evidence } from '../../decision.ts';
import { firstRateRounds } from '../../families.ts';
import { currentLink } from '../../link.ts';
import {
  pauseLimitMilliseconds,
  plainTuning,
  switchoverTuning,
  unseenPauseMilliseconds,
} from '../../methods/downtime.ts';
import { methods } from '../../methods/index.ts';
import { compose } from '../../methods/method.ts';
import type { Attempt, Migration } from '../../migration.ts';
import type { Course, Forecast } from '../../course.ts';
import { forecast } from '../../pre-copy-model.ts';
import { roundsOfAttempt } from '../../rounds.ts';
import type { Move } from '../policy.ts';

/** The switchover test is written anew when it moved by more than this. */
const noticeableShare = 0.2;
/** Where the limit is held: at 50 ms of QEMU's 300, which is what stopping and starting takes anyway. */
const heldShare = 1 / 6;
/** Nothing is asked of the limit before the sync that it decides upon is this near. */
const nearSeconds = 1;
/** The whole migration may take this much longer for a shorter pause... */
const spareSeconds = 0.08;
const mostSpareSeconds = 1.5 * spareSeconds;
/** ...which must be worth this much cost, or the limit is left alone. */
const worthwhileSeconds = 0.1;
/** A round further than this from the model: a guest that changes its ways is not waited for. */
const steadySurprise = 1.4;

/** By then the sockets are full, and QEMU's figure of the bandwidth is the link's. */
const gulpMilliseconds = 500;

/**
 * A family's armament, its limit held where several connections are armed: at first QEMU takes what
 * their sockets swallow for bandwidth, and would switch a small guest over on it [simulated: a pause
 * of 1140 ms; measured: 574].
 */
export function armed(migration: Migration, family: Family): Armed {
  const { arming, tuning } = compose(methods, migration, family);
  const share = isMultifd(family) ? heldShare : 1;
  return { arming, tuning: { ...tuning, downtimeLimitMilliseconds: limitAt(share, tuning) } };
}

type Armed = ReturnType<typeof compose>;

function isMultifd(family: Family): boolean {
  return family.startsWith('multifd');
}

function isGulping(migration: Migration, attempt: Attempt): boolean {
  const started = attempt.startedAtMilliseconds ?? migration.nowMilliseconds;
  return isMultifd(attempt.arming.family) && migration.nowMilliseconds - started < gulpMilliseconds;
}

/** The next word on QEMU's switchover test, if it differs from the last one. */
export function chooseSwitchover(migration: Migration): Move | undefined {
  const attempt = migration.attempts.at(-1);
  const course = runningCourse(migration);
  if (!attempt || !course || isGulping(migration, attempt)) return undefined;
  if (secondsToSync(course) > nearSeconds) return undefined;
  const wire = currentLink(migration).bytesPerSecond;
  const family = attempt.arming.family;
  const isMeasured = (roundsOfAttempt(migration).at(-1)?.number ?? 0) > firstRateRounds(family);
  const full = isMeasured
    ? switchoverTuning(migration, family, wire)
    : plainTuning(migration, wire);
  const share = gentleShare(migration, course);
  const wanted = { ...full, downtimeLimitMilliseconds: limitAt(share, full) };
  if (!isNews(wanted, migration.tuning)) return undefined;
  return {
    kind: 'command',
    operation: { kind: 'tune', tuning: { ...resetOf(migration), ...wanted } },
    method: 'downtime',
    rule: ruleOf(share, migration, full),
    evidence: evidenceOf(course, wire, wanted),
  };
}

/** Whether one more round costs less than it saves: the share of the limit to hold it at, else 1. */
function gentleShare(migration: Migration, course: Course): number {
  if (migration.orderedThrottlePercent > 0 || isUnsteady(migration)) return 1;
  const limitSeconds = downtimeLimitSeconds(migration);
  if (waitedSeconds(migration, limitSeconds) > limitSeconds + mostSpareSeconds) return 1;
  return isGentler(course, limitSeconds, limitIsHeld(migration)) ? heldShare : 1;
}

/**
 * Since the first sync at which the whole limit would have been enough. Each round that is let pass
 * may be promised to be the last one, and none of them be [simulated: 45 rounds of 2 MiB].
 */
function waitedSeconds(migration: Migration, limitSeconds: number): number {
  const enoughBytes = limitSeconds * currentLink(migration).bytesPerSecond;
  const rounds = roundsOfAttempt(migration);
  const chance = rounds.find(({ endRemainingBytes }) => endRemainingBytes <= enoughBytes);
  const since = chance?.endedAtMilliseconds ?? migration.nowMilliseconds;
  return (migration.nowMilliseconds - since) / 1000;
}

/** Once the limit is held, it takes more to let go than it took to hold it. */
function isGentler(course: Course, limitSeconds: number, isHeld: boolean): boolean {
  const atOnce = forecast(course);
  const later = forecast(withSwitchoverShare(course, heldShare));
  const most = atOnce.totalSeconds + (isHeld ? mostSpareSeconds : spareSeconds);
  const gain = forecastCost(atOnce, limitSeconds) - forecastCost(later, limitSeconds);
  const pays = later.finishes && later.totalSeconds <= most;
  return pays && gain > (isHeld ? 0 : worthwhileSeconds);
}

/** A course that has yet to begin, with the limit held as `armed` holds it. */
export function asArmed(course: Course, family: Family): Course {
  if (!isMultifd(family)) return course;
  return { ...course, held: { seconds: gulpMilliseconds / 1000, share: heldShare } };
}

/** How an unthrottled course ends, with the limit held as above where that pays. */
export function gentleForecast(course: Course, limitSeconds: number): Forecast {
  const isHeld = isGentler(course, limitSeconds, false);
  return forecast(isHeld ? withSwitchoverShare(course, heldShare) : course);
}

function limitIsHeld(migration: Migration): boolean {
  const { downtimeLimitMilliseconds = Infinity } = migration.tuning;
  const wire = currentLink(migration).bytesPerSecond;
  return (
    downtimeLimitMilliseconds < (1 - noticeableShare) * pauseLimitMilliseconds(migration, wire)
  );
}

function isUnsteady({ surprise = 1 }: Migration): boolean {
  return surprise > steadySurprise || surprise < 1 / steadySurprise;
}

function limitAt(share: number, { downtimeLimitMilliseconds = 0 }: Tuning): number {
  return Math.max(1, Math.round(share * downtimeLimitMilliseconds));
}

function isNews(wanted: Tuning, written: Tuning): boolean {
  return (
    differs(wanted.downtimeLimitMilliseconds, written.downtimeLimitMilliseconds) ||
    differs(
      wanted.availSwitchoverBandwidthBytesPerSecond,
      written.availSwitchoverBandwidthBytesPerSecond,
    )
  );
}

function differs(wanted = 0, written = 0): boolean {
  return Math.abs(wanted - written) > noticeableShare * Math.max(wanted, written);
}

/** What was told of the link before must not stay when it is not told again. */
function resetOf({ tuning }: Migration): Tuning {
  return tuning.availSwitchoverBandwidthBytesPerSecond
    ? { availSwitchoverBandwidthBytesPerSecond: 0 }
    : {};
}

function ruleOf(share: number, migration: Migration, full: Tuning): string {
  if (share < 1) return 'shorter-pause-for-free';
  const wire = currentLink(migration).bytesPerSecond;
  // Before 8.2 a correction is a limit above what the pause may take.
  const { downtimeLimitMilliseconds = 0, availSwitchoverBandwidthBytesPerSecond: told } = full;
  const isRaised = downtimeLimitMilliseconds > pauseLimitMilliseconds(migration, wire);
  if (told !== undefined || isRaised) return 'switchover-test-corrected';
  if (limitIsHeld(migration)) return 'waiting-does-not-pay';
  const hasMore = unseenPauseMilliseconds(migration, wire) > 0;
  return hasMore ? 'pause-has-other-parts' : 'switchover-test-corrected';
}

function evidenceOf(course: Course, wire: number, wanted: Tuning): Evidence {
  return {
    wireBytesPerSecond: Math.round(wire),
    drainBytesPerSecond: Math.round(course.laterDrainBytesPerSecond),
    backlogBytes: Math.round(course.remainingBytes),
    downtimeLimitMilliseconds: wanted.downtimeLimitMilliseconds ?? 0,
  };
}
