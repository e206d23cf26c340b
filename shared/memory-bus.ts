/** The bus within one process, for tests: same rules as NATS, no server. */
import type { Bus } from './bus.ts';
import { BusError } from './errors.ts';
import { matchesSubject } from './subjects.ts';

/** One client's bus; `setConnected(false)` cuts this client off, its subscriptions outlive the cut. */
export interface MemoryBus extends Bus {
  setConnected(connected: boolean): void;
}

/** What the clients of one broker share. */
export interface MemoryBroker {
  connect(): MemoryBus;
}

type Handler = (subject: string, payload: Uint8Array) => void;
type Server = (payload: Uint8Array) => Promise<Uint8Array | undefined>;

interface Entry<T> {
  readonly pattern: string;
  readonly act: T;
  readonly isReachable: () => boolean;
}

interface Tables {
  readonly handlers: Set<Entry<Handler>>;
  readonly servers: Set<Entry<Server>>;
}

/** A broker without clients yet. */
export function memoryBroker(): MemoryBroker {
  const tables: Tables = { handlers: new Set(), servers: new Set() };
  return { connect: () => connectTo(tables) };
}

/** A client of a broker of its own, for when one is enough. */
export function memoryBus(): MemoryBus {
  return memoryBroker().connect();
}

function connectTo({ handlers, servers }: Tables): MemoryBus {
  let connected = true;
  const listeners: ((connected: boolean) => void)[] = [];
  const mine = new Set<() => void>();

  function add<T>(table: Set<Entry<T>>, pattern: string, act: T) {
    const entry = { pattern, act, isReachable: () => connected };
    const stop = () => void (table.delete(entry), mine.delete(stop));
    table.add(entry);
    mine.add(stop);
    return { stop };
  }

  function setConnected(next: boolean) {
    if (next === connected) return;
    connected = next;
    for (const listener of listeners) listener(next);
  }

  return {
    get connected() {
      return connected;
    },
    setConnected,
    onConnectionChange: (listener) => void listeners.push(listener),
    publish: (subject, payload) => connected && deliver(handlers, subject, payload),
    subscribe: (pattern, handler) => add(handlers, pattern, handler),
    serve: (pattern, server) => add(servers, pattern, server),
    async request(subject, payload, timeoutMilliseconds) {
      if (!connected) throw new BusError('DISCONNECTED', `${subject}: the bus is away`);
      return ask(servers, subject, payload, timeoutMilliseconds);
    },
    close() {
      for (const stop of [...mine]) stop();
      setConnected(false);
      return Promise.resolve();
    },
  };
}

function reachable<T>(table: Set<Entry<T>>, subject: string): Entry<T>[] {
  return [...table].filter(
    ({ pattern, isReachable }) => isReachable() && matchesSubject(pattern, subject),
  );
}

/** After the caller's turn, as from a network. */
function deliver(handlers: Set<Entry<Handler>>, subject: string, payload: Uint8Array): true {
  for (const entry of reachable(handlers, subject)) {
    queueMicrotask(() => {
      if (handlers.has(entry)) entry.act(subject, payload);
    });
  }
  return true;
}

async function ask(
  servers: Set<Entry<Server>>,
  subject: string,
  payload: Uint8Array,
  timeoutMilliseconds: number,
): Promise<Uint8Array> {
  const server = reachable(servers, subject)[0];
  if (server === undefined) throw new BusError('NO_RESPONDERS', `${subject}: nobody answers`);
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(new BusError('TIMEOUT', `${subject}: no answer in ${String(timeoutMilliseconds)} ms`));
    };
    const timer = setTimeout(giveUp, timeoutMilliseconds);
    const settle = (reply: Uint8Array | undefined) => {
      if (reply === undefined) return;
      clearTimeout(timer);
      resolve(reply);
    };
    // A server that fails or is silent does not reply, and the request times out, as over NATS.
    Promise.resolve(payload)
      .then(server.act)
      .then(settle, () => undefined);
  });
}
