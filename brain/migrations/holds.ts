/** VMs that an operator has put out of reach, with the reason. */
export interface Holds {
  add(uuid: string, reason: string): void;
  /** False when it was not held. */
  remove(uuid: string): boolean;
  reasonOf(uuid: string): string | undefined;
  all(): ReadonlyMap<string, string>;
  /** These and no others, as another brain had them. */
  adopt(holds: ReadonlyMap<string, string>): void;
}

/** Holds nobody. */
export function createHolds(): Holds {
  let reasons = new Map<string, string>();
  return {
    add: (uuid, reason) => void reasons.set(uuid, reason),
    remove: (uuid) => reasons.delete(uuid),
    reasonOf: (uuid) => reasons.get(uuid),
    all: () => reasons,
    adopt: (holds) => {
      reasons = new Map(holds);
    },
  };
}
