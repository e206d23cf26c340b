/**
 * The model of pre-copy: plays QEMU's rounds forward from a backlog under a throttle and says how
 * the migration would end.
 *
 * A round drains its backlog V down to the switchover threshold V_L at R bytes of guest RAM per
 * second; what the guest dirtied meanwhile is the next backlog:
 *   t = (V - V_L) / R,   V' = V_L + W((1 - throttle) t) (1 - V_L / H).
 * It ends when a sync finds V <= V_L; the guest then stands still for V / R.
 */
import { dirtiedBytes, type WorkingSet } from './working-set.ts';

export interface Course {
  readonly workingSet: WorkingSet;
  /** Guest RAM drained per second in the first `firstRounds` rounds from now, and after them. */
  readonly drainBytesPerSecond: number;
  readonly firstRounds: number;
  readonly laterDrainBytesPerSecond: number;
  /**
   * The later rate holds for pages of which the other side's copy is known: those sent since the last
   * of the first rounds, which fills XBZRLE's cache. All others still go at the first rate.
   */
  readonly needsCopies?: boolean;
  /** Backlog of the running round that is not sent yet. */
  readonly remainingBytes: number;
  /** Guest run time since the sync that began the running round. */
  readonly roundRunSeconds: number;
  /** V_L: backlog at which QEMU switches over. */
  readonly switchoverBytes: number;
  /** Another V_L for the first rounds from now: the test is corrected only once a ratio is measured. */
  readonly uncorrected?: { readonly rounds: number; readonly switchoverBytes: number };
  /** Throttle (0 to 1) for the rest of the running round, for each one after it; the last for good. */
  readonly throttles: readonly number[];
  readonly horizonSeconds: number;
}

export interface Forecast {
  readonly finishes: boolean;
  readonly totalSeconds: number;
  readonly downtimeSeconds: number;
  /** Guest work lost to the throttle and to the switchover, in seconds of full running. */
  readonly guestWorkLostSeconds: number;
  readonly rounds: number;
  readonly sentBytes: number;
  /** Of that, what was sent at the rate of the first rounds. */
  readonly firstRateBytes: number;
  /** Backlog that the sync ending the running round will find. */
  readonly nextRoundBytes: number;
}

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
    if (state.backlogBytes <= thresholdBytes(course, round)) {
      return arrived(course, state, round, nextRoundBytes);
    }
    if (state.totalSeconds > course.horizonSeconds || isStuck(round, drained, state)) break;
  }
  return neverEnding(course, state, nextRoundBytes);
}

interface Walk {
  backlogBytes: number;
  runSeconds: number;
  totalSeconds: number;
  lostSeconds: number;
  sentBytes: number;
  firstRateBytes: number;
  /** Pages of the working set whose copy is known, see Course.needsCopies. */
  copiedBytes: number;
}

function setOut(course: Course): Walk {
  return {
    backlogBytes: course.remainingBytes,
    runSeconds: course.roundRunSeconds,
    totalSeconds: 0,
    lostSeconds: 0,
    sentBytes: 0,
    firstRateBytes: 0,
    copiedBytes: 0,
  };
}

/** What a coming sync is expected to find. */
export interface ForeseenSync {
  /** From now on. */
  readonly seconds: number;
  readonly backlogBytes: number;
}

/** The coming syncs, at most `count`; the last one is the switchover's where the course gets so far. */
export function foreseenSyncs(course: Course, count: number): readonly ForeseenSync[] {
  const state = setOut(course);
  const syncs: ForeseenSync[] = [];
  for (let round = 0; round < count; round += 1) {
    walkRound(course, state, round);
    const { totalSeconds: seconds, backlogBytes } = state;
    syncs.push({ seconds, backlogBytes });
    if (backlogBytes <= thresholdBytes(course, round) || seconds > course.horizonSeconds) break;
  }
  return syncs;
}

/** Walks one round; returns the backlog it started with. */
function walkRound(course: Course, state: Walk, round: number): number {
  const startBytes = state.backlogBytes;
  const rate = rateOf(course, state, round);
  const throttle = course.throttles[round] ?? lastThrottle(course);
  const aboveBytes = Math.max(0, startBytes - thresholdBytes(course, round));
  const seconds = Math.max(shortestRoundSeconds, aboveBytes / rate + lookLateSeconds);
  const leftBytes = Math.max(0, startBytes - rate * seconds);
  const run = state.runSeconds + (1 - throttle) * seconds;
  // What the first pass leaves is a part of all RAM; what a later one leaves, of the working set.
  const amongBytes = Math.max(course.workingSet.bytes, round === 0 ? startBytes : 0);
  const cleanShare = amongBytes > 0 ? Math.max(0, 1 - leftBytes / amongBytes) : 1;
  state.backlogBytes = leftBytes + dirtiedBytes(course.workingSet, run) * cleanShare;
  state.runSeconds = 0;
  state.totalSeconds += seconds;
  state.lostSeconds += throttle * seconds;
  noteSent(course, state, round, rate * seconds);
  return startBytes;
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

function thresholdBytes({ uncorrected, switchoverBytes }: Course, round: number): number {
  return uncorrected && round < uncorrected.rounds ? uncorrected.switchoverBytes : switchoverBytes;
}

/** Under a constant throttle a backlog that does not shrink any more never will (W is concave). */
function isStuck(round: number, startBytes: number, state: Walk): boolean {
  return round >= 3 && state.backlogBytes > startBytes * 0.999;
}

function arrived(course: Course, state: Walk, round: number, nextRoundBytes: number): Forecast {
  // The last pages go at the rate of the round they belong to: XBZRLE has no deltas before the third.
  const downtimeSeconds = state.backlogBytes / rateOf(course, state, round) + switchoverSeconds;
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
