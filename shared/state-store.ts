/**
 * A few values that all brains share and that outlive them, each under a key, kept by nats-server. It
 * is a key-value bucket as the `nats kv` command knows it, so that operators can look into it.
 */
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  StorageType,
} from '@nats-io/jetstream';
import { openJetStream, type JetStreamAccess } from './jetstream.ts';
import type { NatsBusOptions } from './nats-bus.ts';
import { keptSubject, keyOf } from './subjects.ts';

export interface StoredValue {
  readonly key: string;
  readonly payload: Uint8Array;
  /** Grows with every change of any key. */
  readonly revision: number;
  /** Unix milliseconds by the server's clock, which is one clock for all brains. */
  readonly atMilliseconds: number;
}

export interface StateStore {
  get(key: string): Promise<StoredValue | undefined>;
  /** All whose keys begin with this. */
  list(prefix: string): Promise<readonly StoredValue[]>;
  /**
   * Resolves with the new revision once the server has it. With `expected`, only if the key is still
   * at this revision (0: not there), else with undefined. Rejects when nobody answers: it may have
   * been taken all the same.
   */
  put(key: string, payload: Uint8Array, expected?: number): Promise<number | undefined>;
  remove(key: string): Promise<void>;
  close(): Promise<void>;
}

export const stateBucket = 'ferryman';
const stream = `KV_${stateBucket}`;
/** Some hundred migrations of some hundred kilobytes. */
const maxBytes = 128 * 1024 * 1024;
/** Much shorter than a lease: whoever does not know whether he leads must not lead. */
const answerMilliseconds = 400;

/**
 * Connects; undefined when the server is there and keeps nothing. Throws BusError when nobody is
 * there. The bucket is made when it is first used, and again after the server has lost it.
 */
export async function openStateStore(nats: NatsBusOptions): Promise<StateStore | undefined> {
  const access = await openJetStream(nats, answerMilliseconds);
  return access && storeOver(access);
}

function storeOver({ connection, manager, client }: JetStreamAccess): StateStore {
  const get = async (key: string): Promise<StoredValue | undefined> => {
    const query = { last_by_subj: keptSubject(key) };
    const message = await manager.streams.getMessage(stream, query).catch(absent);
    if (!message) return undefined;
    const { data: payload, seq: revision, time } = message;
    return { key, payload, revision, atMilliseconds: time.getTime() };
  };
  return {
    get,
    list: async (prefix) => {
      const info = await manager.streams
        .info(stream, { subjects_filter: keptSubject('>') })
        .catch(absent);
      const keys = Object.keys(info?.state.subjects ?? {}).map(keyOf);
      const wanted = keys.filter((key) => key.startsWith(prefix));
      return (await Promise.all(wanted.map(get))).filter((value) => value !== undefined);
    },
    put: async (key, payload, expected) => {
      const publish = async () => {
        const expect = expected === undefined ? {} : { lastSubjectSequence: expected };
        const answer = await client.publish(keptSubject(key), payload, { expect });
        return answer.seq;
      };
      return publish()
        .catch(async (error: unknown) => {
          if (!isNoStream(error)) throw error;
          await makeBucket(manager);
          return publish();
        })
        .catch(outrun);
    },
    remove: async (key) => {
      const value = await get(key);
      // Only what is erased stays away when the server is killed: that it was deleted is written later.
      if (value) await manager.streams.deleteMessage(stream, value.revision, true).catch(absent);
    },
    close: () => connection.close(),
  };
}

async function makeBucket(manager: JetStreamAccess['manager']): Promise<void> {
  await manager.streams.add({
    name: stream,
    subjects: [keptSubject('>')],
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    max_bytes: maxBytes,
    allow_rollup_hdrs: true,
    deny_delete: false,
  });
}

const noCodes: ReadonlySet<number> = new Set([
  JetStreamApiCodes.StreamNotFound,
  JetStreamApiCodes.NoMessageFound,
]);

function absent(error: unknown): undefined {
  if (error instanceof JetStreamApiError && noCodes.has(error.code)) return undefined;
  throw error;
}

/** Nobody keeps what is published there: then the bucket is not there. */
function isNoStream(error: unknown): boolean {
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}

function outrun(error: unknown): undefined {
  const isLate =
    error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence;
  if (isLate) return undefined;
  throw error;
}
