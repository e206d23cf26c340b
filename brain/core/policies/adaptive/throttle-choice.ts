/**
 * When to throttle, and when to stop: late and hard. While the backlog drains faster than the guest
 * dirties anew, throttling costs the guest for nothing; once it does not, every second of waiting
 * is lost. The model compares: leave it alone, throttle as soon as it can act, throttle one round
 * later. A set-point over QMP acts at the next sync only, so it is written during the round before.
 */
import type { ThrottleFacts } from '../../../../shared/sample.ts';
import { throttleFacts } from '../../budget.ts';
import { runningCourse, secondsToSync } from '../../estimate.ts';
import { canHalfCock, halfCocked } from '../../methods/auto-converge.ts';
import type { Migration } from '../../migration.ts';
import type { Course } from '../../course.ts';
import { roundsOfAttempt } from '../../rounds.ts';
import { isCalledEndless, isProvenEndless, tendency } from '../../tendency.ts';
import { isShift } from '../../workload.ts';
import type { Move } from '../policy.ts';
import { isBurst, isLikelyToPass } from './bursts.ts';
import { doubt, drainedBy, order, tried, wasTried, worthwhileShare } from './throttle-order.ts';
import { reviewThrottle } from './throttle-review.ts';
import {
  allowedLevels,
  hardestBearable,
  planThrottle,
  type ThrottlePlan,
} from '../../throttle-plan.ts';

const worthwhileSeconds = 0.2;
const trustLostPerRound = 0.05;
const leastTrust = 0.8;
/** A set-point is written this long before the sync at which it shall act. */
const writeAheadSeconds = 0.8;
/** A round this young was decided upon by what the last one showed. */
const justBegunSeconds = 0.2;
/** Of the cost of waiting: by less than this no gain is clear. */
const clearShare = 0.95;
/** When an order of now begins to act, and when one of the next round would. */
const beginnings = {
  immediate: ['now', 'next-round'],
  'next-sync': ['next-round', 'later'],
} as const;
/** Rounds without convergence after which a throttle is tried although no forecast finishes. */
const roundsBeforeTrial = 4;

/** The next order to the throttle, if one pays now. */
export function chooseThrottle(migration: Migration): Move | undefined {
  const facts = throttleFacts(migration);
  const course = runningCourse(migration);
  if (!facts || !course || allowedLevels(migration).length === 0) return undefined;
  if (canHalfCock(migration)) return holdTrigger();
  return migration.orderedThrottlePercent > 0
    ? reviewThrottle(migration, course, facts)
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

/**
 * Never in the first pass: all of it must be sent anyway, and the guest's writes cost nothing yet; nor
 * while a burst is likely to pass, nor long before the sync at which a set-point would act.
 */
function isTooEarly(migration: Migration, course: Course, { lag }: ThrottleFacts): boolean {
  if (migration.openRound?.number === 1 || isLikelyToPass(migration)) return true;
  return lag === 'next-sync' && secondsToSync(course) > writeAheadSeconds;
}

function engage(migration: Migration, course: Course, facts: ThrottleFacts): Move | undefined {
  if (isTooEarly(migration, course, facts)) return undefined;
  const [beginSoon, beginLater] = beginnings[facts.lag];
  const soon = planThrottle(migration, course, beginSoon);
  const wait = planThrottle(migration, course, beginLater);
  const free = planThrottle(migration, drainedBy(course, trust(migration)), 'never');
  if (isProvenEndless(migration) && !wasTried(migration)) {
    return order(migration, course, facts, hardest(migration, soon), 'endless-by-proof', free);
  }
  if (isBurst(migration)) return undefined;
  const pays =
    soon.cost < free.cost * worthwhileShare - worthwhileSeconds &&
    soon.cost <= wait.cost * (isBetterAwaited(migration, course, facts) ? clearShare : 1);
  if (soon.forecast.finishes && pays) {
    return order(migration, course, facts, soon, 'throttle-pays-now', free);
  }
  return tryAnyway(migration, course, facts, soon, free);
}

/**
 * A round that has begun will show what a model that was wrong about the last one is worth: unless it
 * clearly pays to throttle at once, its end is awaited.
 */
function isBetterAwaited(
  { surprise = 1 }: Migration,
  { roundRunSeconds }: Course,
  { lag }: ThrottleFacts,
): boolean {
  return lag === 'immediate' && roundRunSeconds > justBegunSeconds && isShift(surprise);
}

/** Where the model has been proven wrong its choice of a level is worth nothing. */
function hardest(migration: Migration, plan: ThrottlePlan): ThrottlePlan {
  return { ...plan, percent: hardestBearable(migration) ?? plan.percent };
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
  const isLong = rounds.length >= roundsBeforeTrial && tendency(migration).verdict === 'diverging';
  const isDue = isLong || isCalledEndless(migration);
  if (!hopeless || !isDue || wasTried(migration)) return undefined;
  return {
    ...order(migration, course, facts, hardest(migration, soon), 'throttle-as-trial', free),
    memory: tried,
  };
}

/**
 * How much faster than measured the link may drain in the case for leaving the guest alone: a little
 * at first, for the estimates are young; less with every round in which the promised end did not come.
 */
function trust(migration: Migration): number {
  const roundsWaited = (migration.openRound?.number ?? 0) - 2;
  return Math.max(leastTrust, 1 + doubt - trustLostPerRound * roundsWaited);
}
