/** QEMU's migration states (MigrationStatus in qapi/migration.json), sorted by what they allow. */

const idle = ['none', 'completed', 'failed', 'cancelled'];
const preCopy = ['setup', 'active', 'pre-switchover', 'wait-unplug'];
/** Past the point where pre-copy can be called back; colo is here because it is never ours. */
const closing = ['device', 'cancelling', 'failing', 'colo'];
const postCopy = [
  'postcopy-device',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover-setup',
  'postcopy-recover',
];

const all: ReadonlySet<string> = new Set([...idle, ...preCopy, ...closing, ...postCopy]);

/** No migration is under way: capabilities may change and a migration may start. */
export function isIdle(status: string): boolean {
  return idle.includes(status);
}

/** The source can still take the VM back, so that cancelling is safe (promises P1). */
export function isCancellable(status: string): boolean {
  return preCopy.includes(status);
}

/** The VM runs on the destination and its memory is on both sides. */
export function isPostCopy(status: string): boolean {
  return postCopy.includes(status);
}

/** False for a state that this table has never heard of: observe only (promises P20). */
export function isKnownStatus(status: string): boolean {
  return all.has(status);
}
