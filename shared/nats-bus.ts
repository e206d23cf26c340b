/** The bus over NATS. */
import {
  connect,
  nkeyAuthenticator,
  type ConnectionOptions,
  type Msg,
  type NatsConnection,
  type Status,
} from 'nats';
import type { Bus, Subscription } from './bus.ts';
import { BusError } from './errors.ts';
import { silentLog, type Log } from './log.ts';
import { asBusError, connectError } from './nats-errors.ts';

export type NatsCredentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'nkey'; readonly seed: string };

export interface NatsTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface NatsBusOptions {
  /** nats://host:port; several, separated by commas, are one cluster. */
  readonly url: string;
  /** How this client is called in the server's connection list. */
  readonly name: string;
  readonly credentials?: NatsCredentials;
  readonly tls?: NatsTls;
  /** Wait for a server that is not up yet, as daemons do; otherwise that is an error. */
  readonly waitOnFirstConnect?: boolean;
  /** Replies come here; a server with permissions per host wants one prefix per host. */
  readonly inboxPrefix?: string;
  readonly log?: Log;
}

/** Back within a second after a restart, yet a thousand clients do not all come at once. */
const reconnectWaitMilliseconds = 250;
const reconnectJitterMilliseconds = 250;
/** A frozen server is noticed after two pings. */
const pingIntervalMilliseconds = 5000;
/** Farewell to a server that no longer answers. */
const drainMilliseconds = 2000;

/** Throws BusError: DISCONNECTED when nobody is there, REFUSED when the credentials are not good. */
export async function natsBus(options: NatsBusOptions): Promise<Bus> {
  return busOver(await connectToNats(options), options.log ?? silentLog);
}

/** A bare connection with the same manners; throws as `natsBus` does. */
export async function connectToNats(options: NatsBusOptions): Promise<NatsConnection> {
  const { url, waitOnFirstConnect = false, log = silentLog } = options;
  const settings = connectionOptions(options);
  try {
    return await connect(settings);
  } catch (thrown) {
    const error = connectError(url, thrown);
    if (!waitOnFirstConnect) throw error;
    log.warn({ error }, 'waiting for NATS');
    return connect({ ...settings, waitOnFirstConnect });
  }
}

function connectionOptions(options: NatsBusOptions): ConnectionOptions {
  return {
    servers: options.url.split(',').map((server) => server.trim()),
    name: options.name,
    ...credentialOptions(options.credentials),
    ...(options.tls && { tls: options.tls }),
    ...(options.inboxPrefix !== undefined && { inboxPrefix: options.inboxPrefix }),
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMilliseconds,
    reconnectJitter: reconnectJitterMilliseconds,
    reconnectJitterTLS: reconnectJitterMilliseconds,
    pingInterval: pingIntervalMilliseconds,
    // Credentials may be put right on the server while we wait: keep trying.
    ignoreAuthErrorAbort: true,
  };
}

function credentialOptions(credentials: NatsCredentials | undefined): ConnectionOptions {
  switch (credentials?.kind) {
    case undefined:
      return {};
    case 'password':
      return { user: credentials.user, pass: credentials.password };
    case 'token':
      return { token: credentials.token };
    case 'nkey':
      return { authenticator: nkeyAuthenticator(new TextEncoder().encode(credentials.seed)) };
  }
}

function busOver(connection: NatsConnection, log: Log): Bus {
  const state = { connected: true };
  const listeners: ((connected: boolean) => void)[] = [];
  const setConnected = (connected: boolean) => {
    if (connected === state.connected) return;
    state.connected = connected;
    log.info({ server: connection.getServer() }, connected ? 'NATS is back' : 'NATS is away');
    for (const listener of listeners) listener(connected);
  };
  void followStatus(connection, setConnected, log);
  return {
    get connected() {
      return state.connected;
    },
    onConnectionChange: (listener) => void listeners.push(listener),
    publish(subject, payload) {
      // NATS takes a message while it is away, says nothing and loses it.
      if (!state.connected) return false;
      try {
        connection.publish(subject, payload);
        return true;
      } catch (thrown) {
        throw asBusError(subject, thrown);
      }
    },
    subscribe: (subject, handler) => subscribe(connection, log, subject, handler),
    serve: (subject, handler) => serve(connection, log, subject, handler),
    async request(subject, payload, timeoutMilliseconds) {
      if (!state.connected) throw new BusError('DISCONNECTED', `${subject}: NATS is away`);
      try {
        const options = { timeout: timeoutMilliseconds };
        return (await connection.request(subject, payload, options)).data;
      } catch (thrown) {
        throw asBusError(subject, thrown);
      }
    },
    close: () => farewell(connection, state.connected),
  };
}

async function followStatus(
  connection: NatsConnection,
  setConnected: (connected: boolean) => void,
  log: Log,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect' || status.type === 'close') setConnected(false);
    else if (status.type === 'reconnect') setConnected(true);
    else report(status, log);
  }
}

/** What the server says asynchronously: a publish that it forbids is only ever heard of here. */
function report(status: Status, log: Log): void {
  switch (status.type) {
    case 'error':
      log.error({ error: status.error }, 'NATS refuses what we do; check its permissions');
      break;
    case 'slowConsumer':
      log.warn({ pending: status.pending }, 'messages come faster than they are handled');
      break;
    case 'ldm':
    case 'staleConnection':
      log.warn({ status: status.type }, 'the NATS server is going away');
      break;
    default:
      log.debug({ status: status.type }, 'NATS');
  }
}

function subscribe(
  connection: NatsConnection,
  log: Log,
  subject: string,
  handler: (subject: string, payload: Uint8Array) => void,
): Subscription {
  return listen(connection, log, subject, (message) => {
    try {
      handler(message.subject, message.data);
    } catch (thrown) {
      log.error({ error: thrown, subject: message.subject }, 'handler failed');
    }
  });
}

function serve(
  connection: NatsConnection,
  log: Log,
  subject: string,
  handler: (payload: Uint8Array) => Promise<Uint8Array | undefined>,
): Subscription {
  return listen(connection, log, subject, (message) => {
    handler(message.data)
      .then((reply) => reply && message.respond(reply))
      .catch((thrown: unknown) => {
        log.error({ error: thrown, subject }, 'handler failed; the request stays unanswered');
      });
  });
}

function listen(
  connection: NatsConnection,
  log: Log,
  subject: string,
  take: (message: Msg) => void,
): Subscription {
  const subscription = connection.subscribe(subject, {
    callback(error, message) {
      if (error) log.error({ error, subject }, 'subscription failed');
      else take(message);
    },
  });
  return {
    stop() {
      if (!subscription.isClosed()) subscription.unsubscribe();
    },
  };
}

async function farewell(connection: NatsConnection, isConnected: boolean): Promise<void> {
  if (isConnected) {
    const timer = AbortSignal.timeout(drainMilliseconds);
    const tooLate = new Promise((resolve) => timer.addEventListener('abort', resolve));
    await Promise.race([connection.drain().catch(() => undefined), tooLate]);
  }
  await connection.close();
}
