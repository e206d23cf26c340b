/** What brains share, in memory: same rules as the store of nats-server, and it can be cut off. */
import type { StateStore, StoredValue } from '../../shared/state-store.ts';

export interface MemoryStore extends StateStore {
  /** Nobody answers. */
  isAway: boolean;
  /** A server whose disk was replaced. */
  lose(): void;
}

export function memoryStore(serverMilliseconds: () => number): MemoryStore {
  const values = new Map<string, StoredValue>();
  let revision = 0;
  const reach = () => {
    if (store.isAway) throw new Error('timeout');
  };
  const store: MemoryStore = {
    isAway: false,
    lose: () => {
      values.clear();
    },
    get: async (key) => {
      reach();
      return values.get(key);
    },
    list: async (prefix) => {
      reach();
      return [...values.values()].filter(({ key }) => key.startsWith(prefix));
    },
    put: async (key, payload, expected) => {
      reach();
      if (expected !== undefined && (values.get(key)?.revision ?? 0) !== expected) return undefined;
      revision += 1;
      values.set(key, { key, payload, revision, atMilliseconds: serverMilliseconds() });
      return revision;
    },
    remove: async (key) => {
      reach();
      values.delete(key);
    },
    close: () => Promise.resolve(),
  };
  return store;
}
