/** What the daemons are told: a YAML file, single settings from the environment, secrets by file. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { readConfig, readSecret } from './config/file.ts';
import { messageOf } from './errors.ts';
import type { NatsCredentials, NatsTls } from './nats-bus.ts';
import { hostId } from './subjects.ts';

export { ConfigError } from './config/file.ts';

export interface NatsConfig {
  readonly url: string;
  readonly credentials?: NatsCredentials;
  readonly tls?: NatsTls;
}

export interface InfluxConfig {
  /** v1: InfluxDB 1.x; v2 and v3: their write call, which VictoriaMetrics has too. */
  readonly flavor: 'v1' | 'v2' | 'v3';
  readonly url: string;
  /** Database (v1, v3) or bucket (v2). */
  readonly database: string;
  /** Only 2.x has organisations. */
  readonly organisation?: string;
  /** API token; `user:password` for 1.x. */
  readonly token?: string;
}

export interface AgentConfig {
  /** This host's id in subjects; by default made of its name. */
  readonly host: string;
  readonly nats: NatsConfig;
  readonly qmp: {
    /** A folder full of monitor sockets. */
    readonly directory?: string;
    readonly sockets: readonly string[];
  };
  /** Where the journal of applied commands lies. */
  readonly stateDirectory: string;
  /** What this host's owner allows; see the agent's policy file. */
  readonly policyFile?: string;
}

export interface BrainConfig {
  /** This brain's id in the beacon. */
  readonly brain: string;
  /** observe: never sends anything; advise: says what it would do; act. */
  readonly mode: 'observe' | 'advise' | 'act';
  readonly policy: string;
  readonly nats: NatsConfig;
  readonly influx?: InfluxConfig;
}

const path = z.string().regex(/^\/[^\0]{0,4095}$/, 'write an absolute path, /like/this');
const isWithoutSecret = (url: string) => !/:\/\/[^/]*@/.test(url);
const noSecret = 'credentials do not belong into an address; put them into a file';

const natsUrl = z
  .string()
  .regex(/^(nats|tls):\/\/[^\s,]+(,(nats|tls):\/\/[^\s,]+)*$/, 'write nats://HOST:4222')
  .refine(isWithoutSecret, noSecret);

const nats = z
  .strictObject({
    url: natsUrl,
    user: z.string().min(1).max(256).optional(),
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

interface Identity {
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly nkeySeedFile?: string | undefined;
}

function readCredentials(identity: Identity): NatsCredentials | undefined {
  const { user, passwordFile, tokenFile, nkeySeedFile } = identity;
  if (user !== undefined && passwordFile !== undefined) {
    return { kind: 'password', user, password: readSecret(passwordFile) };
  }
  if (tokenFile !== undefined) return { kind: 'token', token: readSecret(tokenFile) };
  if (nkeySeedFile !== undefined) return { kind: 'nkey', seed: readSecret(nkeySeedFile) };
  return undefined;
}

const influx = z
  .strictObject({
    flavor: z.enum(['v1', 'v2', 'v3']),
    url: z
      .string()
      .regex(/^https?:\/\/\S+$/, 'write http://HOST:8086')
      .refine(isWithoutSecret, noSecret),
    database: z.string().min(1).max(256),
    organisation: z.string().min(1).max(256).exactOptional(),
    tokenFile: path.optional(),
  })
  .transform(({ tokenFile, ...rest }): InfluxConfig => {
    return { ...rest, ...(tokenFile !== undefined && { token: readSecret(tokenFile) }) };
  });

/** More than VMs fit on a host. */
const maxSockets = 1024;

const host = z
  .string()
  .default(hostname)
  .transform((name, context) => {
    try {
      return hostId(name);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: messageOf(thrown) });
      return z.NEVER;
    }
  });

const agent = z.strictObject({
  host,
  nats,
  qmp: z
    .strictObject({
      directory: path.exactOptional(),
      sockets: z.array(path).max(maxSockets).default([]),
    })
    .refine(({ directory, sockets }) => directory !== undefined || sockets.length > 0, {
      error: 'name at least one of directory and sockets',
    }),
  stateDirectory: path.default('/var/lib/ferryman'),
  policyFile: path.exactOptional(),
});

const brain = z.strictObject({
  brain: host,
  mode: z.enum(['observe', 'advise', 'act']).default('advise'),
  policy: z.string().min(1).max(64).default('adaptive'),
  nats,
  influx: influx.exactOptional(),
});

const natsKeys = ['nats.url', 'nats.user', 'nats.passwordFile', 'nats.tokenFile'];

/** Throws ConfigError with file, line and remedy. Environment: FERRYMAN_HOST, FERRYMAN_NATS_URL, ... */
export function loadAgentConfig(file: string, environment = process.env): AgentConfig {
  return readConfig(file, environment, agent, [
    'host',
    'policyFile',
    'stateDirectory',
    ...natsKeys,
  ]);
}

/** Throws ConfigError with file, line and remedy. Environment: FERRYMAN_MODE, FERRYMAN_NATS_URL, ... */
export function loadBrainConfig(file: string, environment = process.env): BrainConfig {
  const influxKeys = ['influx.url', 'influx.tokenFile'];
  return readConfig(file, environment, brain, ['mode', 'policy', ...natsKeys, ...influxKeys]);
}

const secretKeys = new Set(['password', 'token', 'seed']);

/** The same configuration, fit to be shown: `--print-config`. */
export function maskSecrets<T>(config: T): T {
  const mask = (key: string, value: unknown) =>
    secretKeys.has(key) && typeof value === 'string' ? '***' : value;
  return JSON.parse(JSON.stringify(config, mask)) as T;
}
