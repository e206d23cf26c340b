/** What the daemons are told: a YAML file, single settings from environment and flags, secrets by file. */
import { hostname } from 'node:os';
import * as z from 'zod';
import { address, loopback, path, wholeNumber, word, type ListenAddress } from './config/fields.ts';
import { readConfig, readSecret, type Overrides } from './config/file.ts';
import { nats, natsKeys, type NatsConfig } from './config/nats.ts';
import { modes, unknownClasses, vmRules, vmSections } from './config/vms.ts';
import type { Mode, VmRules } from './config/vms.ts';
import { messageOf } from './errors.ts';
import { logLevels, type LogLevel } from './log.ts';
import { hostId } from './subjects.ts';

export { ConfigError } from './config/file.ts';
export type { NatsConfig } from './config/nats.ts';
export type { Mode } from './config/vms.ts';

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

/** Health and metrics over HTTP, on loopback; without it a daemon opens no port. */
export interface MonitoringConfig {
  readonly listen: ListenAddress;
  /** The most migrations that get a label of their own in metrics; the others are only counted. */
  readonly labelledMigrations: number;
}

/** What agent and brain have in common. */
interface DaemonConfig {
  readonly nats: NatsConfig;
  /** `info` when absent. */
  readonly logLevel?: LogLevel;
  readonly monitoring?: MonitoringConfig;
}

export interface AgentConfig extends DaemonConfig {
  /** This host's id in subjects; by default made of its name. */
  readonly host: string;
  readonly qmp?: {
    /** A folder full of monitor sockets. */
    readonly directory?: string;
    readonly sockets: readonly string[];
  };
  /** A libvirt whose domains are watched; absent means none. */
  readonly libvirt?: {
    /** As for `virsh -c`. */
    readonly uri: string;
  };
  /** Where the journal of applied commands lies. */
  readonly stateDirectory: string;
  /** What this host's owner allows; see the agent's policy file. */
  readonly policyFile?: string;
}

export interface BrainConfig extends DaemonConfig {
  /** This brain's id in the beacon. */
  readonly brain: string;
  /** observe: never sends anything; advise: says what it would do; act. */
  readonly mode: Mode;
  readonly policy: string;
  readonly influx?: InfluxConfig;
  /** Where the live page is served; without it nowhere. */
  readonly page?: ListenAddress;
  /** Hosts that should be heard; `ferryman doctor` misses those that are not. */
  readonly hosts: readonly string[];
  /** What holds for single VMs and classes of them; made of the sections `classes` and `vms`. */
  readonly rules: VmRules;
}

const influx = z
  .strictObject({
    flavor: z.enum(['v1', 'v2', 'v3']),
    url: address(/^https?:\/\/\S+$/, 'write http://HOST:8086'),
    database: word,
    organisation: word.exactOptional(),
    tokenFile: path.optional(),
  })
  .transform(({ tokenFile, ...rest }): InfluxConfig => {
    return { ...rest, ...(tokenFile !== undefined && { token: readSecret(tokenFile) }) };
  });

const daemon = {
  nats,
  logLevel: z.enum(logLevels).exactOptional(),
  monitoring: z
    .strictObject({ listen: loopback, labelledMigrations: wholeNumber(0, 1000).default(100) })
    .exactOptional(),
};

const daemonKeys = ['logLevel', 'monitoring.listen', 'monitoring.labelledMigrations', ...natsKeys];

/** More than VMs fit on a host. */
const maxSockets = 1024;

const hostName = z.string().transform((name, context) => {
  try {
    return hostId(name);
  } catch (thrown) {
    context.addIssue({ code: 'custom', message: messageOf(thrown) });
    return z.NEVER;
  }
});
const host = hostName.default(() => hostId(hostname()));

const agent = z
  .strictObject({
    host,
    ...daemon,
    qmp: z
      .strictObject({
        directory: path.exactOptional(),
        sockets: z.array(path).max(maxSockets).default([]),
      })
      .refine(({ directory, sockets }) => directory !== undefined || sockets.length > 0, {
        error: 'name at least one of directory and sockets',
      })
      .exactOptional(),
    libvirt: z
      .strictObject({
        uri: z
          .string()
          .regex(/^qemu(\+unix)?:\/\/\/\S{1,1000}$/, 'write qemu:///system')
          .default('qemu:///system'),
      })
      .exactOptional(),
    stateDirectory: path.default('/var/lib/ferryman'),
    policyFile: path.exactOptional(),
  })
  .refine(({ qmp, libvirt }) => qmp !== undefined || libvirt !== undefined, {
    error: 'there is nothing to watch; name qmp.directory, qmp.sockets or libvirt.uri',
  });

const brain = z
  .strictObject({
    brain: host,
    ...daemon,
    mode: z.enum(modes).default('advise'),
    policy: z.string().min(1).max(64).default('adaptive'),
    influx: influx.exactOptional(),
    page: loopback.exactOptional(),
    hosts: z.array(hostName).max(4096).default([]),
    ...vmSections,
  })
  .superRefine((sections, context) => {
    for (const { vm, name } of unknownClasses(sections)) {
      const message = `there is no class ${name}; add it to classes`;
      context.addIssue({ code: 'custom', path: ['vms', vm, 'class'], message });
    }
  })
  .transform(({ classes, vms, ...rest }) => ({ ...rest, rules: vmRules({ classes, vms }) }));

const agentKeys = [
  'host',
  'qmp.directory',
  'libvirt.uri',
  'policyFile',
  'stateDirectory',
  ...daemonKeys,
];
const influxKeys = ['flavor', 'url', 'database', 'organisation', 'tokenFile'];
const brainKeys = [
  ...['brain', 'mode', 'policy', 'page'],
  ...influxKeys.map((key) => `influx.${key}`),
  ...daemonKeys,
];

/**
 * Flags prevail over the environment (FERRYMAN_HOST, FERRYMAN_NATS_URL, ...), and that over the file.
 * Throws ConfigError with file, line and remedy.
 */
export function loadAgentConfig(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
  flags: NonNullable<Overrides['flags']> = {},
): AgentConfig {
  return readConfig(file, { environment, flags }, agent, agentKeys);
}

/** The same for a brain: FERRYMAN_MODE, FERRYMAN_INFLUX_URL, ... */
export function loadBrainConfig(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
  flags: NonNullable<Overrides['flags']> = {},
): BrainConfig {
  return readConfig(file, { environment, flags }, brain, brainKeys);
}

const secretKeys = new Set(['password', 'token', 'seed']);

/** The same configuration, fit to be shown: `--print-config`. */
export function maskSecrets<T>(config: T): T {
  const mask = (key: string, value: unknown) =>
    secretKeys.has(key) && typeof value === 'string' ? '***' : value;
  return JSON.parse(JSON.stringify(config, mask)) as T;
}
