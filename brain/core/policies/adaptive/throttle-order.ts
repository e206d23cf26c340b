/** Orders to the throttle, with the figures they rest on and what is expected of them. */
import type { ThrottleFacts } from '../../../../shared/sample.ts';
import type { Evidence, Prediction } from '../../decision.ts';
import type { Migration } from '../../migration.ts';
import type { Course } from '../../course.ts';
import { tendency } from '../../tendency.ts';
import type { Move } from '../policy.ts';
import type { ThrottlePlan } from '../../throttle-plan.ts';

/** A change must beat going on by this much, even if the estimates flatter it a little. */
export const worthwhileShare = 0.87;
/** How far a measured drain rate is trusted. */
export const doubt = 0.1;

/** A throttle that was in vain is not tried again without a forecast: post-copy may come instead. */
export const tried = { throttleTried: true };

/** Whether a throttle was already tried in vain. */
export function wasTried(migration: Migration): boolean {
  return migration.policyMemory['throttleTried'] === true;
}

/** Throttles as planned; `other` is the course not taken. */
export function order(
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

/** Lets the guest run freely again. */
export function release(
  facts: ThrottleFacts,
  free: ThrottlePlan,
  keep: ThrottlePlan,
  rule: string,
): Move {
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

/** Of a migration that is not going to end, no end is promised. */
function predictionOf({ forecast: expected, cost }: ThrottlePlan): Prediction {
  return {
    ...(expected.finishes && {
      totalMilliseconds: Math.round(expected.totalSeconds * 1000),
      downtimeMilliseconds: Math.round(expected.downtimeSeconds * 1000),
      guestWorkLostSeconds: rounded(expected.guestWorkLostSeconds),
    }),
    nextRoundBytes: Math.round(expected.nextRoundBytes),
    cost: rounded(cost),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The same course over a link that drains `factor` times as fast. */
export function drainedBy(course: Course, factor: number): Course {
  return {
    ...course,
    drainBytesPerSecond: course.drainBytesPerSecond * factor,
    laterDrainBytesPerSecond: course.laterDrainBytesPerSecond * factor,
  };
}
