/** What is left when pre-copy in this family does not come to an end: another family, then post-copy. */
import type { Family } from '../../../../shared/sample.ts';
import { runningCourse } from '../../estimate.ts';
import { legalFamilies } from '../../families.ts';
import { isPostCopyArmed } from '../../methods/post-copy.ts';
import { canRestart, restartSeconds } from '../../methods/restart.ts';
import type { Migration } from '../../migration.ts';
import { roundsOfAttempt } from '../../rounds.ts';
import { isCalledEndless, tendency } from '../../tendency.ts';
import type { Move } from '../policy.ts';
import { leastCost, methodOf, outlook } from './family-choice.ts';
import { armed } from './switchover-choice.ts';
import { allowedLevels, planThrottle, type ThrottlePlan } from '../../throttle-plan.ts';

/** A restart throws away what was sent: it must be clearly cheaper. */
const worthwhileShare = 0.8;
/** Rounds at the hardest throttle before pre-copy counts as tried. */
const roundsOfProof = 3;
/** Fewer prove it where the model had said so before the throttle began; the first may be held in part. */
const roundsHeld = 2;
/** What is felt of a throttle may be a little less than was ordered. */
const nearHardest = 0.9;
/** Post-copy starts when the backlog is this near to the least one seen. */
const nearMinimum = 1.05;

/** Restart in the family that would now be clearly cheaper from scratch than going on (controller rule 2.7). */
export function chooseRestart(migration: Migration): Move | undefined {
  const course = runningCourse(migration);
  const attempt = migration.attempts.at(-1);
  if (!course || !attempt || !canRestart(migration) || isTooEarly(migration)) return undefined;
  if (!isTimeToWeigh(migration)) return undefined;
  const costOf = (begin: ThrottlePlan['begin']) => planThrottle(migration, course, begin).cost;
  // What even going on untouched beats is not worth a closer look.
  const untouched = costOf('never');
  const rivals = untriedFamilies(migration, attempt.arming.family).filter((family) =>
    isCheaper(leastCost(migration, family), untouched),
  );
  if (rivals.length === 0) return undefined;
  const goOn = Math.min(untouched, costOf('next-round'), costOf('later'));
  const others = rivals
    .filter((family) => isCheaper(leastCost(migration, family), goOn))
    .map((family) => outlook(migration, family));
  const best = others.reduce<(typeof others)[number] | undefined>(
    (least, each) => (least && least.cost <= each.cost ? least : each),
    undefined,
  );
  if (!best?.forecast.finishes || !isCheaper(best.cost, goOn)) return undefined;
  // The same yardstick for both: what this family would cost from scratch must be clearly more, too.
  const same = outlook(migration, attempt.arming.family).cost;
  if (best.cost >= same * worthwhileShare) return undefined;
  const evidence = {
    from: attempt.arming.family,
    to: best.family,
    costGoingOn: goOn,
    costRestarting: best.cost + restartSeconds,
  };
  const plan = { ...armed(migration, best.family), method: methodOf(best.family) };
  return {
    kind: 'restart',
    plan: { ...plan, rule: 'other-family-is-cheaper', evidence },
    method: 'restart',
    rule: 'other-family-is-cheaper',
    evidence,
  };
}

function untriedFamilies(migration: Migration, armed: Family): readonly Family[] {
  return legalFamilies(migration).filter(
    (family) => family !== armed && !migration.triedFamilies.includes(family),
  );
}

/** A restart is weighed when a round has told how it went, and so often within a long one. */
const weighEveryMilliseconds = 500;

/** To play every family through at each sample would cost more than all else, and hardly differ. */
function isTimeToWeigh({ openRound, ...migration }: Migration): boolean {
  const { nowMilliseconds, sinceSampleBeforeMilliseconds = Infinity } = migration;
  const intoRound = nowMilliseconds - (openRound?.startedAtMilliseconds ?? nowMilliseconds);
  const intoPeriod = intoRound % weighEveryMilliseconds;
  return intoRound === 0 || intoPeriod < sinceSampleBeforeMilliseconds;
}

/** From scratch, with what the restart itself takes. */
function isCheaper(costFromScratch: number, costGoingOn: number): boolean {
  return costFromScratch + restartSeconds < costGoingOn * worthwhileShare;
}

/** The link must have been measured for a while, and sudden changes of heart are kept to round starts. */
function isTooEarly(migration: Migration): boolean {
  const started = migration.attempts.at(-1)?.startedAtMilliseconds ?? migration.nowMilliseconds;
  return (
    migration.bandwidthBytesPerSecond === undefined || migration.nowMilliseconds - started < 800
  );
}

/** Post-copy: armed, every allowed pre-copy method tried and judged diverging, at a low of the backlog. */
export function choosePostCopy(migration: Migration): Move | undefined {
  if (!isPostCopyArmed(migration) || !isPreCopyExhausted(migration)) return undefined;
  // Backlogs under another throttle are no measure of what this one leaves.
  const rounds = roundsOfAttempt(migration).filter(
    (round) => round.number > migration.orderedThrottleRound,
  );
  const least = Math.min(...rounds.map((round) => round.endRemainingBytes));
  const backlog = rounds.at(-1)?.endRemainingBytes ?? Infinity;
  if (backlog > least * nearMinimum) return undefined;
  return {
    kind: 'command',
    operation: { kind: 'start-postcopy' },
    method: 'post-copy',
    rule: 'every-allowed-method-tried',
    evidence: {
      backlogBytes: backlog,
      leastBacklogBytes: least,
      throttlePercent: migration.orderedThrottlePercent,
      verdict: tendency(migration).verdict,
    },
  };
}

function isPreCopyExhausted(migration: Migration): boolean {
  const course = runningCourse(migration);
  if (!course || tendency(migration).verdict !== 'diverging') return false;
  if (planThrottle(migration, course, 'never').forecast.finishes) return false;
  const hardest = allowedLevels(migration)[0] ?? 0;
  const since = (migration.openRound?.number ?? 0) - migration.orderedThrottleRound;
  const wasTried = migration.policyMemory['throttleTried'] === true;
  const isReleased = wasTried && migration.orderedThrottlePercent < hardest;
  if (hardest === 0 || isReleased) return since >= roundsOfProof;
  const isLong = roundsOfAttempt(migration).length >= 2 * roundsOfProof;
  return (
    (isLong || isHeldInVain(migration, hardest)) &&
    !planThrottle(migration, course, 'now').forecast.finishes
  );
}

/** Rounds under the hardest throttle that the objective allows have confirmed what the model foresaw. */
function isHeldInVain(migration: Migration, hardest: number): boolean {
  const held = roundsOfAttempt(migration).filter(
    (round) =>
      round.number >= migration.orderedThrottleRound &&
      round.throttlePercent >= hardest * nearHardest,
  );
  return held.length >= roundsHeld && isCalledEndless(migration);
}
