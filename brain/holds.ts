/** VMs that an operator has put out of reach, with the reason. They are forgotten with the brain. */
export interface Holds {
  add(uuid: string, reason: string): void;
  /** False when it was not held. */
  remove(uuid: string): boolean;
  reasonOf(uuid: string): string | undefined;
  all(): ReadonlyMap<string, string>;
}

/** Holds nobody. */
export function createHolds(): Holds {
  const reasons = new Map<string, string>();
  return {
    add: (uuid, reason) => void reasons.set(uuid, reason),
    remove: (uuid) => reasons.delete(uuid),
    reasonOf: (uuid) => reasons.get(uuid),
    all: () => reasons,
  };
}
