/**
 * A log of messages that outlives outages: JetStream keeps what is published on some subjects until
 * its one reader has acknowledged it. It has a connection of its own, which the bus never waits for.
 */
import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  StorageType,
  type Consumer,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from 'nats';
import { connectToNats, type NatsBusOptions } from './nats-bus.ts';

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
  /** This message and all before it are done with. */
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
  /** The position of the last message that was acknowledged; undefined before the first. */
  acknowledged(): Promise<number | undefined>;
  close(): Promise<void>;
}

const waitMilliseconds = 1_000;
/** What a reader took and left undone, its successor gets after this; one that is only slow loses nothing. */
const acknowledgeWithinMilliseconds = 5_000;
const requestMilliseconds = 5_000;

/**
 * Connects and returns the stream, which is made when first used; undefined when the server is
 * there and has no JetStream. Throws BusError when nobody is there.
 */
export async function openDurableStream(
  nats: NatsBusOptions,
  options: StreamOptions,
): Promise<DurableStream | undefined> {
  const connection = await connectToNats(nats);
  const manager = await jetstreamManager(connection, {
    checkAPI: false,
    timeout: requestMilliseconds,
  });
  if (await isMissing(manager)) {
    await connection.close();
    return undefined;
  }
  return streamOver(connection, manager, options);
}

/** Only a clear answer counts; a server that is slow to answer may have it. */
async function isMissing(manager: JetStreamManager): Promise<boolean> {
  try {
    await manager.getAccountInfo();
    return false;
  } catch (error) {
    const isDisabled =
      error instanceof JetStreamApiError &&
      error.code === JetStreamApiCodes.JetStreamNotEnabledForAccount;
    return isDisabled || (error instanceof Error && error.name === 'JetStreamNotEnabled');
  }
}

function streamOver(
  connection: NatsConnection,
  manager: JetStreamManager,
  options: StreamOptions,
): DurableStream {
  const client = jetstream(connection, { timeout: requestMilliseconds });
  let reader: Promise<Consumer> | undefined;
  const ready = (): Promise<Consumer> => (reader ??= prepare(manager, client, options));
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
    close: () => connection.close(),
  };
}

async function prepare(
  manager: JetStreamManager,
  client: JetStreamClient,
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
      ack_policy: AckPolicy.All,
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
