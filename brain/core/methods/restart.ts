/**
 * Restart: cancel, and migrate anew with other capabilities to a fresh destination. The only way to
 * another family, since QEMU refuses every capability change in flight. All progress is lost.
 */
import type { Migration } from '../migration.ts';

/** Cancel, a new destination process, arming both sides [measured 0.5 to 1 s]. */
export const restartSeconds = 1;
const mostRestarts = 3;

export function canRestart(migration: Migration): boolean {
  return (
    migration.destination?.canStartDestination === true && migration.attempts.length <= mostRestarts
  );
}
