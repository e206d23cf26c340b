/**
 * The model of pre-copy: plays QEMU's rounds forward from a backlog under a throttle and says how
 * the migration would end.
 *
 * A round drains its backlog V down to the switchover threshold V_L at R bytes of guest RAM per
 * second; what the guest dirtied meanwhile is the next backlog:
 *   t = (V - V_L) / R,   V' = V_L + W((1 - throttle) t) (1 - V_L / H).
 * It ends when a sync finds V <= V_L; the guest then stands still for V / R.
 */
import type { Course, Forecast, ForeseenSync } from './course.ts';
import { newlyDirtiedBytes } from './working-set.ts';

/** ram_save_iterate() sends for 50 ms between two looks at the threshold; no round is shorter. */
const shortestRoundSeconds = 0.05;
/** So the look that finds the backlog below the threshold comes half of that late, on average. */
const lookLateSeconds = 0.025;
const mostRounds = 200;
/** Device state and the pause itself, beside sending the last pages [measured 5 to 13 ms]. */
const switchoverSeconds = 0.015;

/** Walks the course to its end, or until it is certain that there is none. */
export function forecast(course: Course): Forecast {
  const state = setOut(course);
  let nextRoundBytes = course.remainingBytes;
  for (let round = 0; round < mostRounds; round += 1) {
    const drained = walkRound(course, state, round);
    if (round === 0) nextRoundBytes = state.backlogBytes;
    if (state.backlogBytes <= thresholdBytes(course, round, state.totalSeconds)) {
      return arrived(course, state, round, nextRoundBytes);
    }
    if (state.totalSeconds > course.horizonSeconds || isStuck(course, state, round, drained)) break;
  }
  return neverEnding(course, state, nextRoundBytes);
}

interface Walk {
  backlogBytes: number;
  /** Guest run time in which that was dirtied. */
  madeInSeconds: number;
  runSeconds: number;
  totalSeconds: number;
  lostSeconds: number;
  sentBytes: number;
  firstRateBytes: number;
  /** Pages of the working set whose copy is known, see Course.needsCopies. */
  copiedBytes: number;
  /** What the sockets can still take at once. */
  gulpBytes: number;
}

function setOut(course: Course): Walk {
  return {
    backlogBytes: course.remainingBytes,
    madeInSeconds: Infinity,
    runSeconds: course.roundRunSeconds,
    totalSeconds: 0,
    lostSeconds: 0,
    sentBytes: 0,
    firstRateBytes: 0,
    copiedBytes: 0,
    gulpBytes: course.gulp?.bytes ?? 0,
  };
}

/** The coming syncs, at most `count`; the last one is the switchover's where the course gets so far. */
export function foreseenSyncs(course: Course, count: number): readonly ForeseenSync[] {
  const state = setOut(course);
  const syncs: ForeseenSync[] = [];
  for (let round = 0; round < count; round += 1) {
    walkRound(course, state, round);
    const { totalSeconds: seconds, backlogBytes } = state;
    syncs.push({ seconds, backlogBytes });
    if (backlogBytes <= thresholdBytes(course, round, seconds)) break;
    if (seconds > course.horizonSeconds) break;
  }
  return syncs;
}

/** Walks one round; returns the backlog it started with. */
function walkRound(course: Course, state: Walk, round: number): number {
  const startBytes = state.backlogBytes;
  const rate = rateOf(course, state, round);
  const throttle = course.throttles[round] ?? lastThrottle(course);
  const seconds = roundSeconds(course, state, round, rate);
  const sentBytes = Math.min(startBytes, drainedBytes(course, state, rate, seconds));
  const leftBytes = startBytes - sentBytes;
  const run = state.runSeconds + (1 - throttle) * seconds;
  // What the first pass leaves is a part of all RAM; what a later one leaves, of the working set.
  const amongBytes = Math.max(course.workingSet.bytes, round === 0 ? startBytes : 0, 1);
  const left = {
    share: leftBytes / amongBytes,
    madeInSeconds: state.madeInSeconds,
    ofBacklogShare: leftBytes / (round === 0 ? amongBytes : startBytes),
  };
  state.backlogBytes = leftBytes + newlyDirtiedBytes(course.workingSet, run, left);
  state.madeInSeconds = run;
  state.runSeconds = 0;
  state.totalSeconds += seconds;
  state.lostSeconds += throttle * seconds;
  state.gulpBytes = Math.max(0, state.gulpBytes - Math.max(0, sentBytes - rate * seconds));
  noteSent(course, state, round, sentBytes);
  return startBytes;
}

/** Until QEMU syncs: down to V_L, but as long as the switchover is held, further down. */
function roundSeconds(course: Course, state: Walk, round: number, rate: number): number {
  const filledShare = round === 0 ? (course.filledShare ?? 1) : 1;
  const threshold = thresholdBytes(course, round) * filledShare;
  const seconds = secondsTo(threshold, course, state, rate);
  const heldSeconds = (course.held?.seconds ?? 0) - state.totalSeconds;
  if (seconds >= heldSeconds) return seconds;
  const heldThreshold = thresholdBytes(course, round, state.totalSeconds) * filledShare;
  return Math.min(heldSeconds, secondsTo(heldThreshold, course, state, rate));
}

function secondsTo(threshold: number, course: Course, state: Walk, rate: number): number {
  const aboveBytes = Math.max(0, state.backlogBytes - threshold);
  const seconds = drainSeconds(course, state.gulpBytes, rate, aboveBytes);
  return Math.max(shortestRoundSeconds, seconds + lookLateSeconds);
}

/** To hand `bytes` of guest RAM over to the kernel, which takes `gulpBytes` of them at once. */
function drainSeconds(course: Course, gulpBytes: number, rate: number, bytes: number): number {
  const fastest = course.gulp?.bytesPerSecond ?? Infinity;
  return Math.max(bytes / fastest, (bytes - gulpBytes) / rate);
}

/** What the kernel takes in so long. */
function drainedBytes(course: Course, { gulpBytes }: Walk, rate: number, seconds: number): number {
  const fastest = course.gulp?.bytesPerSecond ?? Infinity;
  return Math.min(fastest * seconds, gulpBytes + rate * seconds);
}

function lastThrottle({ throttles }: Course): number {
  return throttles.at(-1) ?? 0;
}

function noteSent(course: Course, state: Walk, round: number, sentBytes: number): void {
  const firstRateBytes = sentBytes * (1 - laterRateShare(course, state, round));
  state.sentBytes += sentBytes;
  state.firstRateBytes += firstRateBytes;
  if (round >= course.firstRounds - 1) state.copiedBytes += firstRateBytes;
}

function rateOf(course: Course, state: Walk, round: number): number {
  const later = laterRateShare(course, state, round);
  return 1 / (later / course.laterDrainBytesPerSecond + (1 - later) / course.drainBytesPerSecond);
}

/** The share of a round's pages that go at the later rate. */
function laterRateShare(course: Course, state: Walk, round: number): number {
  if (round < course.firstRounds) return 0;
  const { needsCopies, workingSet } = course;
  return needsCopies ? Math.min(1, state.copiedBytes / Math.max(1, workingSet.bytes)) : 1;
}

/** V_L for this round: what it is without a hold, or what it is at this time. */
function thresholdBytes(course: Course, round: number, atSeconds = Infinity): number {
  const { uncorrected, switchoverBytes, held } = course;
  const share = held && atSeconds < held.seconds ? held.share : 1;
  const isUncorrected = uncorrected && round < uncorrected.rounds;
  return share * (isUncorrected ? uncorrected.switchoverBytes : switchoverBytes);
}

/** Under a constant throttle a backlog that does not shrink any more never will (W is concave). */
function isStuck({ held }: Course, state: Walk, round: number, startBytes: number): boolean {
  const isHeld = held !== undefined && state.totalSeconds < held.seconds;
  return !isHeld && round >= 3 && state.backlogBytes > startBytes * 0.999;
}

function arrived(course: Course, state: Walk, round: number, nextRoundBytes: number): Forecast {
  // The last pages go at the rate of the round they belong to: XBZRLE has no deltas before the third.
  const rate = rateOf(course, state, round);
  const gulpBytes = Math.max(state.gulpBytes, course.gulp?.freeBytes ?? 0);
  const sendingSeconds = drainSeconds(course, gulpBytes, rate, state.backlogBytes);
  const downtimeSeconds = sendingSeconds + switchoverSeconds;
  noteSent(course, state, round, state.backlogBytes);
  return {
    finishes: true,
    totalSeconds: state.totalSeconds + downtimeSeconds,
    downtimeSeconds,
    guestWorkLostSeconds: state.lostSeconds + downtimeSeconds,
    rounds: round + 1,
    sentBytes: state.sentBytes,
    firstRateBytes: state.firstRateBytes,
    nextRoundBytes,
  };
}

function neverEnding(course: Course, state: Walk, nextRoundBytes: number): Forecast {
  const left = Math.max(0, course.horizonSeconds - state.totalSeconds);
  return {
    finishes: false,
    totalSeconds: course.horizonSeconds,
    downtimeSeconds: 0,
    guestWorkLostSeconds: state.lostSeconds + left * lastThrottle(course),
    rounds: mostRounds,
    sentBytes: state.sentBytes + left * course.laterDrainBytesPerSecond,
    firstRateBytes: state.firstRateBytes,
    nextRoundBytes,
  };
}
