/** Bursts: writing that may pass by itself, and is then better waited for than throttled. */
import type { ProbeReport } from '../../../../shared/sample.ts';
import type { Migration } from '../../migration.ts';
import { roundsOfAttempt } from '../../rounds.ts';

/** Written over what the model had expected. */
const burstSurprise = 2;
/** A guest that was seen to come and go is given as long as the probe had watched it. */
const patienceMilliseconds = 1500;
/** Windows of a probe as alike as this should show the same... */
const alike = 1.05;
/** ...but for chance, unless the guest came or went between them. */
const unevenRatio = 3;

/** The guest suddenly writes far more than was seen before: one more round is waited. */
export function isBurst({ surprise = 1 }: Migration): boolean {
  return surprise > burstSurprise;
}

/**
 * A burst of a guest that the probe saw busy in one window and at rest in another: not even rounds that
 * leave more than they found prove anything before it had the time to pass.
 */
export function isLikelyToPass(migration: Migration): boolean {
  if (!migration.probe || !isUneven(migration.probe)) return false;
  const burst = roundsOfAttempt(migration).findLast(({ surprise = 1 }) => surprise > burstSurprise);
  const since = burst?.endedAtMilliseconds ?? -Infinity;
  return migration.nowMilliseconds - since < patienceMilliseconds;
}

function isUneven({ dirtyCurve }: ProbeReport): boolean {
  return dirtyCurve.some((busy) =>
    dirtyCurve.some((calm) => {
      const ratio = busy.windowMilliseconds / calm.windowMilliseconds;
      const areAlike = Math.max(ratio, 1 / ratio) < alike;
      return areAlike && busy.dirtyBytes > unevenRatio * calm.dirtyBytes;
    }),
  );
}
