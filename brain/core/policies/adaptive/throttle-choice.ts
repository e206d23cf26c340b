/**
 * When to throttle, and when to stop: late and hard. While the backlog drains faster than the guest
 * dirties anew, throttling costs the guest for nothing; once it does not, every second of waiting
 * is lost. The model compares: leave it alone, throttle as soon as it can act, throttle one round
 * later. A set-point over QMP acts at the next sync only, so it is written during the round before.
 */
import type { ThrottleFacts } from '../../../../shared/sample.ts';
import { throttleFacts } from '../../budget.ts';
import type { Evidence, Prediction } from '../../decision.ts';
import { forecastCost } from '../../cost.ts';
import {
  allowedLevels,
  downtimeLimitSeconds,
  planThrottle,
  runningCourse,
  type ThrottlePlan,
} from '../../estimate.ts';
import { canHalfCock, halfCocked } from '../../methods/auto-converge.ts';
import type { Migration } from '../../migration.ts';
import { forecast, type Course } from '../../pre-copy-model.ts';
import { isProvenEndless, roundsOfAttempt, tendency } from '../../tendency.ts';
import type { Move } from '../policy.ts';

/** Throttling must beat leaving it alone by this much, even if the estimates flatter it a little. */
const worthwhileShare = 0.87;
const worthwhileSeconds = 0.2;
const doubt = 0.1;
const trustLostPerRound = 0.05;
const leastTrust = 0.8;
/** A set-point is written this long before the sync at which it shall act. */
const writeAheadSeconds = 0.8;
const burstSurprise = 2;
/** Rounds without convergence after which a throttle is tried although no forecast finishes. */
const roundsBeforeTrial = 4;
/** A throttle helps while one of this many rounds left clearly less than any round before. */
const lately = 3;
const newLow = 0.95;

export function chooseThrottle(migration: Migration): Move | undefined {
  const facts = throttleFacts(migration);
  const course = runningCourse(migration);
  if (!facts || !course || allowedLevels(migration).length === 0) return undefined;
  if (canHalfCock(migration)) return holdTrigger();
  return migration.orderedThrottlePercent > 0
    ? reconsider(migration, course, facts)
    : engage(migration, course, facts);
}

function holdTrigger(): Move {
  return {
    kind: 'command',
    operation: { kind: 'tune', tuning: { autoConverge: halfCocked } },
    method: 'auto-converge',
    rule: 'hold-trigger-half-cocked',
    evidence: { triggerThresholdPercent: halfCocked.triggerThresholdPercent },
  };
}

/** Never in the first pass: all of it must be sent anyway, and the guest's writes cost nothing yet. */
function engage(migration: Migration, course: Course, facts: ThrottleFacts): Move | undefined {
  if (migration.openRound?.number === 1) return undefined;
  if (facts.lag === 'next-sync' && secondsToSync(course) > writeAheadSeconds) return undefined;
  const [soon, wait] =
    facts.lag === 'immediate'
      ? [planThrottle(migration, course, 'now'), planThrottle(migration, course, 'next-round')]
      : [planThrottle(migration, course, 'next-round'), planThrottle(migration, course, 'later')];
  const free = planThrottle(migration, drainedBy(course, trust(migration)), 'never');
  if (isProvenEndless(migration) && !wasTried(migration)) {
    return order(migration, course, facts, hardest(migration, soon), 'endless-by-proof', free);
  }
  if (isBurst(migration)) return undefined;
  const pays =
    soon.cost < free.cost * worthwhileShare - worthwhileSeconds && soon.cost <= wait.cost;
  if (soon.forecast.finishes && pays) {
    return order(migration, course, facts, soon, 'throttle-pays-now', free);
  }
  return tryAnyway(migration, course, facts, soon, free);
}

/** The guest suddenly writes far more than the probe saw: a burst may pass, so one more round is waited. */
function isBurst(migration: Migration): boolean {
  return (migration.surprise ?? 1) > burstSurprise;
}

/** Where the model has been proven wrong its choice of a level is worth nothing. */
function hardest(migration: Migration, plan: ThrottlePlan): ThrottlePlan {
  return { ...plan, percent: allowedLevels(migration)[0] ?? plan.percent };
}

/** No forecast finishes, yet the objective allows a throttle: models err, so it is tried, once. */
function tryAnyway(
  migration: Migration,
  course: Course,
  facts: ThrottleFacts,
  soon: ThrottlePlan,
  free: ThrottlePlan,
): Move | undefined {
  const rounds = roundsOfAttempt(migration);
  const hopeless = !soon.forecast.finishes && !free.forecast.finishes;
  const isDue = rounds.length >= roundsBeforeTrial && tendency(migration).verdict === 'diverging';
  if (!hopeless || !isDue || wasTried(migration)) return undefined;
  return {
    ...order(migration, course, facts, hardest(migration, soon), 'throttle-as-trial', free),
    memory: tried,
  };
}

/** A throttle that was in vain is not tried again without a forecast: post-copy may come instead. */
const tried = { throttleTried: true };

function wasTried(migration: Migration): boolean {
  return migration.policyMemory['throttleTried'] === true;
}

/** Releases a throttle that is not needed any more, raises one that is too weak, drops one in vain. */
function reconsider(migration: Migration, course: Course, facts: ThrottleFacts): Move | undefined {
  const theta = migration.orderedThrottlePercent / 100;
  const keep = planAt(migration, course, migration.orderedThrottlePercent);
  const free = planThrottle(migration, pessimistic(course), 'never');
  const ordered = migration.orderedThrottleRound;
  const round = migration.openRound?.number ?? 0;
  const isSettled = facts.lag === 'immediate' || round > ordered + 2;
  if (isSettled && free.forecast.finishes && free.cost < keep.cost * worthwhileShare) {
    return release(facts, free, keep, 'throttle-no-longer-needed');
  }
  if (round <= ordered + 2 || keep.forecast.finishes) return undefined;
  const harder = planThrottle(migration, course, 'now');
  if (harder.forecast.finishes && harder.percent / 100 > theta) {
    return order(migration, course, facts, harder, 'throttle-too-weak', keep);
  }
  return tendency(migration).verdict === 'diverging' && !hasHelpedLately(migration)
    ? { ...release(facts, free, keep, 'throttle-in-vain'), memory: tried }
    : undefined;
}

/** One round that left more than it found is no proof against a throttle that has just reached a new low. */
function hasHelpedLately(migration: Migration): boolean {
  const backlogs = roundsOfAttempt(migration)
    .filter((round) => round.number >= migration.orderedThrottleRound)
    .map((round) => round.endRemainingBytes);
  const before = Math.min(...backlogs.slice(0, -lately));
  return Math.min(...backlogs.slice(-lately)) < before * newLow;
}

function planAt(migration: Migration, course: Course, percent: number): ThrottlePlan {
  const theta = percent / 100;
  const predicted = forecast({ ...course, throttles: [theta, theta, theta] });
  const limit = downtimeLimitSeconds(migration);
  return { percent, begin: 'now', forecast: predicted, cost: forecastCost(predicted, limit) };
}

function order(
  migration: Migration,
  course: Course,
  facts: ThrottleFacts,
  plan: ThrottlePlan,
  rule: string,
  other: ThrottlePlan,
): Move {
  return {
    kind: 'command',
    operation: { kind: 'throttle', percent: plan.percent, mechanism: facts.mechanism },
    method: 'auto-converge',
    rule,
    evidence: { ...evidenceOf(migration, course), ...costsOf(plan, other) },
    prediction: predictionOf(plan),
  };
}

function release(facts: ThrottleFacts, free: ThrottlePlan, keep: ThrottlePlan, rule: string): Move {
  return {
    kind: 'command',
    operation: { kind: 'throttle', percent: 0, mechanism: facts.mechanism },
    method: 'auto-converge',
    rule,
    evidence: costsOf(free, keep),
    prediction: predictionOf(free),
  };
}

function evidenceOf(migration: Migration, course: Course): Evidence {
  const { verdict, leak, contraction } = tendency(migration);
  return {
    round: migration.openRound?.number ?? 0,
    backlogBytes: Math.round(course.remainingBytes),
    bandwidthBytesPerSecond: Math.round(course.drainBytesPerSecond),
    workingSetBytes: Math.round(course.workingSet.bytes),
    verdict,
    ...(leak !== undefined && { leak: rounded(leak) }),
    ...(contraction !== undefined && { contraction: rounded(contraction) }),
  };
}

function costsOf(chosen: ThrottlePlan, other: ThrottlePlan): Evidence {
  return { costChosen: rounded(chosen.cost), costOtherwise: rounded(other.cost) };
}

function predictionOf(plan: ThrottlePlan): Prediction {
  return {
    totalMilliseconds: Math.round(plan.forecast.totalSeconds * 1000),
    downtimeMilliseconds: Math.round(plan.forecast.downtimeSeconds * 1000),
    guestWorkLostSeconds: rounded(plan.forecast.guestWorkLostSeconds),
    nextRoundBytes: Math.round(plan.forecast.nextRoundBytes),
    cost: rounded(plan.cost),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function secondsToSync(course: Course): number {
  return (course.remainingBytes - course.switchoverBytes) / course.drainBytesPerSecond;
}

/**
 * How much faster than measured the link may drain in the case for leaving the guest alone: a little
 * at first, for the estimates are young; less with every round in which the promised end did not come.
 */
function trust(migration: Migration): number {
  const roundsWaited = (migration.openRound?.number ?? 0) - 2;
  return Math.max(leastTrust, 1 + doubt - trustLostPerRound * roundsWaited);
}

function pessimistic(course: Course): Course {
  return drainedBy(course, 1 - doubt);
}

function drainedBy(course: Course, factor: number): Course {
  return {
    ...course,
    drainBytesPerSecond: course.drainBytesPerSecond * factor,
    laterDrainBytesPerSecond: course.laterDrainBytesPerSecond * factor,
  };
}
