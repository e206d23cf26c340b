/**
 * Post-copy, the last resort: armed only when the objective allows it and both sides can, started
 * only when every allowed method was tried. Once started it is never cancelled.
 */
import type { Family } from '../../../shared/sample.ts';
import type { Migration } from '../migration.ts';
import type { Method } from './method.ts';

/** Whether both keys are turned: the owner allows post-copy, and both sides can in this family. */
export function canArmPostCopy(migration: Migration, family: Family): boolean {
  return (
    migration.order?.objective.postCopy === 'last-resort' &&
    (migration.source?.postCopyFamilies.includes(family) ?? false) &&
    (migration.destination?.postCopyFamilies.includes(family) ?? false)
  );
}

export const postCopy: Method = {
  name: 'post-copy',
  arm: (migration, family) =>
    canArmPostCopy(migration, family) ? { arming: { postCopy: true } } : undefined,
};

/** Whether the attempt that runs now was started with post-copy armed. */
export function isPostCopyArmed(migration: Migration): boolean {
  return migration.attempts.at(-1)?.arming.postCopy === true;
}
