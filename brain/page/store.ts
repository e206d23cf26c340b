/**
 * What the page could be asked for: the newest state of each migration, by reference, and its
 * chronicle. Taking in an input costs next to nothing; views are made when somebody looks.
 */
import type { Migration } from '../core/migration.ts';
import type { Listener } from '../listeners.ts';
import { createChronicle, type Chronicle } from './view/chronicle.ts';

/** Settled migrations that can still be looked at; older ones are in the history. */
const settledKept = 100;

export interface Entry {
  readonly chronicle: Chronicle;
  migration: Migration;
  /** Of the store when this entry changed last. */
  version: number;
}

export interface Store {
  /** Give this to the service. */
  readonly listener: Listener;
  /** Grows with every change. */
  version(): number;
  get(id: string): Entry | undefined;
  /** Oldest first. */
  entries(): Iterable<Entry>;
}

/** Starts empty. */
export function createStore(): Store {
  const entries = new Map<string, Entry>();
  let version = 0;
  const dropOldest = () => {
    const settled = [...entries].filter(([, { migration }]) => migration.result !== undefined);
    for (const [id] of settled.slice(0, -settledKept)) entries.delete(id);
  };
  return {
    listener: {
      onInput: (migration, input) => {
        version += 1;
        let entry = entries.get(migration.id);
        if (entry === undefined) {
          entry = { chronicle: createChronicle(input.atMilliseconds), migration, version };
          entries.set(migration.id, entry);
        }
        entry.migration = migration;
        entry.version = version;
        entry.chronicle.observe(migration, input);
      },
      onSettled: dropOldest,
    },
    version: () => version,
    get: (id) => entries.get(id),
    entries: () => entries.values(),
  };
}
