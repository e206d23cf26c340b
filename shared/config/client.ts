/** How commands reach the fleet's NATS: flags over environment over file over the loopback. */
import * as z from 'zod';
import { readConfig } from './file.ts';
import { nats, natsKeys, type NatsConfig } from './nats.ts';

/** What a fresh install of nats-server listens on. */
export const usualNatsUrl = 'nats://127.0.0.1:4222';

const client = z.strictObject({
  nats: z.preprocess((given) => ({ url: usualNatsUrl, ...(given as object) }), nats),
});

/** Reads as an empty file does. */
const noFile = '/dev/null';

/** The section `nats` as daemons have it; without a file the defaults hold. Throws ConfigError. */
export function loadClientConfig(
  file: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  url?: string,
): { readonly nats: NatsConfig } {
  const flags = url === undefined ? {} : { 'nats.url': url };
  const overrides = { environment, flags, flagOf: () => '--nats' };
  return readConfig(file ?? noFile, overrides, client, natsKeys);
}
