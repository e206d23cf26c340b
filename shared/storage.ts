/** What a guest reads and writes, as far as a migration of its memory cares. */

/** Whether a destination finds the same bytes: on a network or cluster, on this host, or untold. */
export const storageKinds = ['shared', 'local', 'unknown'] as const;
export type StorageKind = (typeof storageKinds)[number];

/** One disk of a VM, as far as a migration of its memory cares. */
export interface DiskFacts {
  readonly device: string;
  /** As QEMU names it: a path, or the address of a network disk. */
  readonly location: string;
  readonly storage: StorageKind;
}

export interface StorageFacts {
  readonly disks: readonly DiskFacts[];
}
