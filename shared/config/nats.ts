/** How a daemon reaches NATS: address, one identity by file, TLS. */
import * as z from 'zod';
import type { NatsCredentials, NatsTls } from '../nats-bus.ts';
import { address, path, word } from './fields.ts';
import { readSecret } from './file.ts';

export interface NatsConfig {
  readonly url: string;
  readonly credentials?: NatsCredentials;
  readonly tls?: NatsTls;
}

interface Identity {
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly nkeySeedFile?: string | undefined;
}

/** The section `nats`. Reads the secrets: throws ConfigError for one that is not kept. */
export const nats = z
  .strictObject({
    url: address(
      /^(nats|tls):\/\/[^\s,]+(,(nats|tls):\/\/[^\s,]+)*$/,
      'write nats://HOST:4222 or tls://HOST:4222',
    ),
    user: word.optional(),
    passwordFile: path.optional(),
    tokenFile: path.optional(),
    nkeySeedFile: path.optional(),
    caFile: path.optional(),
    certFile: path.optional(),
    keyFile: path.optional(),
  })
  .refine(({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined), {
    error: 'user and passwordFile go together; set both or none',
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    error: 'certFile and keyFile go together; set both or none',
  })
  .refine(
    ({ passwordFile, tokenFile, nkeySeedFile }) =>
      [passwordFile, tokenFile, nkeySeedFile].filter((file) => file !== undefined).length <= 1,
    { error: 'set one of passwordFile, tokenFile and nkeySeedFile' },
  )
  .transform(({ url, caFile, certFile, keyFile, ...identity }): NatsConfig => {
    const credentials = readCredentials(identity);
    const tls = {
      ...(caFile !== undefined && { caFile }),
      ...(certFile !== undefined && { certFile }),
      ...(keyFile !== undefined && { keyFile }),
    };
    const hasTls = Object.keys(tls).length > 0;
    return { url, ...(credentials && { credentials }), ...(hasTls && { tls }) };
  });

/** Its keys that environment and flags may set. */
export const natsKeys = [
  'url',
  'user',
  'passwordFile',
  'tokenFile',
  'nkeySeedFile',
  'caFile',
  'certFile',
  'keyFile',
].map((key) => `nats.${key}`);

function readCredentials(identity: Identity): NatsCredentials | undefined {
  const { user, passwordFile, tokenFile, nkeySeedFile } = identity;
  if (user !== undefined && passwordFile !== undefined) {
    return { kind: 'password', user, password: readSecret(passwordFile) };
  }
  if (tokenFile !== undefined) return { kind: 'token', token: readSecret(tokenFile) };
  if (nkeySeedFile !== undefined) return { kind: 'nkey', seed: readSecret(nkeySeedFile) };
  return undefined;
}
