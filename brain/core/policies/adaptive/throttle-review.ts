/** Looks again at a throttle in force: not needed any more, too weak, or in vain. */
import type { ThrottleFacts } from '../../../../shared/sample.ts';
import { forecastCost } from '../../cost.ts';
import { downtimeLimitSeconds } from '../../estimate.ts';
import type { Migration } from '../../migration.ts';
import type { Course } from '../../course.ts';
import { forecast } from '../../pre-copy-model.ts';
import { roundsOfAttempt } from '../../rounds.ts';
import { tendency } from '../../tendency.ts';
import type { Move } from '../policy.ts';
import { doubt, drainedBy, order, release, tried, worthwhileShare } from './throttle-order.ts';
import { planThrottle, type ThrottlePlan } from '../../throttle-plan.ts';

/** QEMU's throttle moves at every second sync: rounds before its effect can be judged. */
const roundsToAct = 2;
/** A throttle helps while one of this many rounds left clearly less than any round before. */
const lately = 3;
const newLow = 0.95;

/** Releases a throttle that is not needed any more, raises one that is too weak, drops one in vain. */
export function reviewThrottle(
  migration: Migration,
  course: Course,
  facts: ThrottleFacts,
): Move | undefined {
  const keep = planAt(migration, course, migration.orderedThrottlePercent);
  const free = planThrottle(migration, drainedBy(course, 1 - doubt), 'never');
  const hasActed =
    (migration.openRound?.number ?? 0) > migration.orderedThrottleRound + roundsToAct;
  const isSettled = facts.lag === 'immediate' || hasActed;
  if (isSettled && free.forecast.finishes && free.cost < keep.cost * worthwhileShare) {
    return release(facts, free, keep, 'throttle-no-longer-needed');
  }
  if (!hasActed || keep.forecast.finishes) return undefined;
  return strengthen(migration, course, facts, keep) ?? giveUp(migration, facts, free, keep);
}

function strengthen(
  migration: Migration,
  course: Course,
  facts: ThrottleFacts,
  keep: ThrottlePlan,
): Move | undefined {
  const harder = planThrottle(migration, course, 'now');
  return harder.forecast.finishes && harder.percent > migration.orderedThrottlePercent
    ? order(migration, course, facts, harder, 'throttle-too-weak', keep)
    : undefined;
}

function giveUp(
  migration: Migration,
  facts: ThrottleFacts,
  free: ThrottlePlan,
  keep: ThrottlePlan,
): Move | undefined {
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
