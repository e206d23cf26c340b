/** One piece of work at a time per key; keys do not wait for each other. */
export interface Locks {
  /** Runs `work` after whatever was asked for before under this key, however that ended. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** Locks with no one waiting. */
export function createLocks(): Locks {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(key, work) {
      const before = tails.get(key) ?? Promise.resolve();
      const result = before.then(work);
      const tail = result
        .catch(() => undefined)
        .then(() => {
          if (tails.get(key) === tail) tails.delete(key);
        });
      tails.set(key, tail);
      return result;
    },
  };
}
