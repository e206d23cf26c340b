/**
 * A log of messages that outlives outages: JetStream keeps what is published on some subjects until
 * its one reader has acknowledged it. It has a connection of its own, which the bus never waits for.
 */
import {
  AckPolicy,
  DiscardPolicy,
  StorageType,
  type Consumer,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos } from 'nats';
import { openJetStream, type JetStreamAccess } from './jetstream.ts';
import type { NatsBusOptions } from './nats-bus.ts';

export interface StreamOptions {
  /** The stream's name on the server, and that of its reader. */
  readonly stream: string;
  readonly reader: string;
  /** NATS wildcards; whatever is published there is kept, also by those who know of no stream. */
  readonly subjects: readonly string[];
  /** Beyond these the oldest messages go. A stream that is there already keeps its own limits. */
  readonly maxBytes: number;
  readonly maxAgeMilliseconds: number;
}

export interface StoredMessage {
  /** 1, 2, 3 ... over the stream's life: a gap means that messages went before they were read. */
  readonly position: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  /** It is done with; one that never is comes again, to this reader or to the next. */
  acknowledge(): void;
}

export interface DurableStream {
  /** Resolves once the server has the message; the same `id` again within minutes is no second one. */
  append(subject: string, payload: Uint8Array, id: string): Promise<void>;
  /**
   * The oldest messages not acknowledged yet, at most `limit`; waits for some a second, then there
   * are none. Rejects while the server is away.
   */
  next(limit: number): Promise<readonly StoredMessage[]>;
  /** All up to this position were acknowledged; undefined before the first. */
  acknowledged(): Promise<number | undefined>;
  /** The position of the oldest message that is still kept. */
  oldest(): Promise<number>;
  close(): Promise<void>;
}

const waitMilliseconds = 1_000;
/** What a reader took and left undone, its successor gets after this; one that is only slow loses nothing. */
const acknowledgeWithinMilliseconds = 5_000;
const requestMilliseconds = 5_000;

/**
 * Connects and returns the stream, which is made unless it is there; undefined when the server is
 * there and has no JetStream. Throws BusError when nobody is there.
 */
export async function openDurableStream(
  nats: NatsBusOptions,
  options: StreamOptions,
): Promise<DurableStream | undefined> {
  const access = await openJetStream(nats, requestMilliseconds);
  const stream = access && streamOver(access, options);
  // From now on it keeps what is said; a server that cannot make it yet is asked again later.
  await stream?.acknowledged().catch(() => undefined);
  return stream;
}

function streamOver(access: JetStreamAccess, options: StreamOptions): DurableStream {
  const { connection, client, manager } = access;
  let reader: Promise<Consumer> | undefined;
  const ready = (): Promise<Consumer> => (reader ??= prepare(access, options));
  // What the server forgot while it was away is made again.
  const anew = (error: unknown) => {
    reader = undefined;
    throw error;
  };
  return {
    append: async (subject, payload, msgID) => {
      await ready().catch(anew);
      await client.publish(subject, payload, { msgID, timeout: requestMilliseconds }).catch(anew);
    },
    next: (limit) =>
      ready()
        .then((consumer) => fetch(consumer, limit))
        .catch(anew),
    acknowledged: () =>
      ready()
        .then((consumer) => consumer.info())
        .then(({ ack_floor }) => (ack_floor.stream_seq === 0 ? undefined : ack_floor.stream_seq))
        .catch(anew),
    oldest: () =>
      manager.streams
        .info(options.stream)
        .then(({ state }) => state.first_seq)
        .catch(anew),
    close: () => connection.close(),
  };
}

async function prepare(
  { manager, client }: JetStreamAccess,
  { stream, reader, subjects, maxBytes, maxAgeMilliseconds }: StreamOptions,
): Promise<Consumer> {
  await manager.streams.info(stream).catch(() =>
    manager.streams.add({
      name: stream,
      subjects: [...subjects],
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_bytes: maxBytes,
      max_age: nanos(maxAgeMilliseconds),
    }),
  );
  await manager.consumers.info(stream, reader).catch(() =>
    manager.consumers.add(stream, {
      durable_name: reader,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(acknowledgeWithinMilliseconds),
    }),
  );
  return client.consumers.get(stream, reader);
}

async function fetch(consumer: Consumer, limit: number): Promise<readonly StoredMessage[]> {
  const messages: StoredMessage[] = [];
  const fetched = await consumer.fetch({ max_messages: limit, expires: waitMilliseconds });
  for await (const message of fetched) messages.push(asStored(message));
  return messages;
}

function asStored(message: JsMsg): StoredMessage {
  return {
    position: message.seq,
    subject: message.subject,
    payload: message.data,
    acknowledge: () => {
      message.ack();
    },
  };
}
