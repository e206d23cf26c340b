import type { NatsBusOptions } from '../shared/nats-bus.ts';
import { ExitError, exitCodes } from './exit.ts';

/** A server of NATS and how to log in there. */
export type NatsAddress = Pick<NatsBusOptions, 'url' | 'credentials'>;

/**
 * Reads --nats: nats://[USER:PASSWORD@|TOKEN@]HOST[:PORT]. Throws ExitError (usage) for anything
 * else; its message does not repeat the text, which may hold a password.
 */
export function parseNatsAddress(text: string): NatsAddress {
  try {
    return addressOf(new URL(text));
  } catch (error) {
    const wanted = 'nats://[USER:PASSWORD@]HOST[:PORT]';
    const message = `--nats is not ${wanted}; write for example --nats nats://192.0.2.7:4222`;
    throw new ExitError(exitCodes.usage, message, { cause: error });
  }
}

function addressOf({ protocol, hostname, host, username, password }: URL): NatsAddress {
  if (!['nats:', 'tls:'].includes(protocol)) throw new Error(`${protocol} is another protocol`);
  if (hostname === '') throw new Error('the host is missing');
  const url = `${protocol}//${host}`;
  const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  if (user === '') return { url };
  return secret === ''
    ? { url, credentials: { kind: 'token', token: user } }
    : { url, credentials: { kind: 'password', user, password: secret } };
}
