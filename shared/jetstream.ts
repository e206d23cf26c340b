/** The way to what nats-server keeps on its disk, over a connection of its own that the bus never waits for. */
import {
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type JetStreamClient,
  type JetStreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { connectToNats, type NatsBusOptions } from './nats-bus.ts';

export interface JetStreamAccess {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
}

/** A server that is only slow is given this long to say whether it keeps anything. */
const firstAnswerMilliseconds = 5_000;

/**
 * Connects; undefined when the server is there and keeps nothing. No request is waited for longer
 * than `timeoutMilliseconds`. Throws BusError when nobody is there.
 */
export async function openJetStream(
  nats: NatsBusOptions,
  timeoutMilliseconds: number,
): Promise<JetStreamAccess | undefined> {
  const connection = await connectToNats(nats);
  const within = (timeout: number) => jetstreamManager(connection, { checkAPI: false, timeout });
  if (await isMissing(await within(firstAnswerMilliseconds))) {
    await connection.close();
    return undefined;
  }
  const manager = await within(timeoutMilliseconds);
  const client = jetstream(connection, { timeout: timeoutMilliseconds });
  return { connection, manager, client };
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
