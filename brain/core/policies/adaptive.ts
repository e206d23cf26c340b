/**
 * The default policy: least predicted cost. The family is planned from the probe and the link; the
 * backlog drains freely as long as that is free; then the throttle acts late and hard; another
 * family or post-copy only when this one cannot end.
 */
import type { Family } from '../../../shared/sample.ts';
import { runningCourse } from '../estimate.ts';
import { firstRateRounds } from '../families.ts';
import { currentLink } from '../link.ts';
import { switchoverTuning } from '../methods/downtime.ts';
import type { Migration } from '../migration.ts';
import { roundsOfAttempt } from '../rounds.ts';
import { chooseFamily } from './adaptive/family-choice.ts';
import { choosePostCopy, chooseRestart } from './adaptive/last-resorts.ts';
import { chooseThrottle } from './adaptive/throttle-choice.ts';
import type { Move, Policy } from './policy.ts';

/** The switchover test is corrected anew when the correction moved by more than this. */
const noticeableShare = 0.2;

export const adaptive: Policy = {
  name: 'adaptive',
  probes: true,
  plan: chooseFamily,
  decide: (migration) =>
    chooseRestart(migration) ??
    chooseThrottle(migration) ??
    correctSwitchover(migration) ??
    choosePostCopy(migration),
};

function correctSwitchover(migration: Migration): Move | undefined {
  const attempt = migration.attempts.at(-1);
  const course = runningCourse(migration);
  if (!attempt || !course || !hasLaterRounds(migration, attempt.arming.family)) return undefined;
  const wire = currentLink(migration).bytesPerSecond;
  const wanted = switchoverTuning(migration, attempt.arming.family, wire);
  if (
    !differs(wanted.downtimeLimitMilliseconds, migration.tuning.downtimeLimitMilliseconds) &&
    !differs(
      wanted.availSwitchoverBandwidthBytesPerSecond,
      migration.tuning.availSwitchoverBandwidthBytesPerSecond,
    )
  ) {
    return undefined;
  }
  const reset = migration.tuning.availSwitchoverBandwidthBytesPerSecond
    ? { availSwitchoverBandwidthBytesPerSecond: 0 }
    : {};
  return {
    kind: 'command',
    operation: { kind: 'tune', tuning: { ...reset, ...wanted } },
    method: 'downtime',
    rule: 'switchover-test-corrected',
    evidence: {
      wireBytesPerSecond: Math.round(wire),
      drainBytesPerSecond: Math.round(course.laterDrainBytesPerSecond),
    },
  };
}

/** One whole round at the family's later rate: before it, the ratio is only a promise. */
function hasLaterRounds(migration: Migration, family: Family): boolean {
  return (roundsOfAttempt(migration).at(-1)?.number ?? 0) > firstRateRounds(family);
}

function differs(wanted: number | undefined, written: number | undefined): boolean {
  const [left, right] = [wanted ?? 0, written ?? 0];
  return Math.abs(left - right) > noticeableShare * Math.max(left, right);
}
