/**
 * QEMU's auto-converge, armed by somebody else, climbs by itself as soon as a round leaves too much.
 * It is put to sleep first: from then on it is a set-point like one of ours.
 */
import { isFollowed } from '../../following.ts';
import { inert } from '../../methods/auto-converge.ts';
import type { Migration } from '../../migration.ts';
import type { Move } from '../policy.ts';

/** Once, and only where the objective leaves a throttle at all. */
export function takeOver(migration: Migration): Move | undefined {
  const isArmed = migration.attempts.at(-1)?.arming.autoConverge === true;
  const isOurs = migration.tuning.autoConverge !== undefined;
  if (!isFollowed(migration) || !isArmed || isOurs) return undefined;
  return {
    kind: 'command',
    operation: { kind: 'tune', tuning: { autoConverge: inert } },
    method: 'auto-converge',
    rule: 'throttle-taken-over',
    evidence: { throttlePercent: migration.last?.throttlePercent ?? 0 },
  };
}
