/** The host's own policy: what its administrator lets any brain do here. It can only tighten. */
import * as z from 'zod';
import { ConfigError, readConfig } from '../../shared/config/file.ts';
import { FerrymanError } from '../../shared/errors.ts';
import { parseLibvirtUri } from '../qemu/uri.ts';

const mebibyte = 1024 * 1024;
/** The least a migration may be given: less would be a stop by another name. */
export const smallestBandwidthBytesPerSecond = mebibyte;
/** The most the agent ever writes; QEMU itself takes absurd values. */
export const largestBandwidthBytesPerSecond = 16 * 1024 * mebibyte;

const port = z.number().int().min(1).max(65_535);

const policySchema = z.strictObject({
  /** `observe`: no command is carried out on this host. */
  mode: z.enum(['observe', 'act']).default('act'),
  maxThrottlePercent: z.number().int().min(1).max(99).default(99),
  maxDowntimeMilliseconds: z.number().int().min(10).max(2_000_000).default(30_000),
  maxBandwidthBytesPerSecond: z
    .number()
    .min(smallestBandwidthBytesPerSecond)
    .max(largestBandwidthBytesPerSecond)
    .default(largestBandwidthBytesPerSecond),
  /** Whether guest memory may be sampled; contents never leave the agent. */
  probe: z.boolean().default(true),
  /** The host's key to post-copy; the objective of the VM holds the other. */
  postCopy: z.boolean().default(false),
  /** What becomes of a pre-copy migration when the brain has been silent for 30 s. */
  brainLost: z.enum(['continue', 'cancel']).default('continue'),
  /** Shell command that starts a fresh destination QEMU; see agent/host/destination.ts. */
  destinationCommand: z.string().min(1).max(4096).optional(),
  /** Hosts that guest memory may be sent to; absent means any. */
  destinationHosts: z.array(z.string().min(1).max(253)).max(10_000).optional(),
  /** The address at which migration streams reach this host; by default that of its first NIC. */
  migrationAddress: z.string().min(1).max(255).optional(),
  /** TCP ports that migration streams may use; the default is libvirt's range. */
  migrationPorts: z
    .strictObject({ first: port, last: port })
    .refine(({ first, last }) => first <= last, 'first must not be above last')
    .default({ first: 49_152, last: 49_215 }),
  /** How the libvirt of other hosts reaches that of this one, to move domains here. */
  libvirtUri: z
    .string()
    .transform((text, context) => {
      const place = parseLibvirtUri(text);
      if (place) return place;
      context.addIssue({ code: 'custom', message: 'write qemu+tls://HOST/system (or +ssh, +tcp)' });
      return z.NEVER;
    })
    .optional(),
  /** cgroup v2 only: the delegated subtree in which groups may be made, e.g. `/machine.slice`. */
  cgroupDelegation: z.string().startsWith('/').max(4096).optional(),
});

type Parsed = z.infer<typeof policySchema>;

/** What this host allows; every number is a bound that commands are clamped to. */
export type HostPolicy = Readonly<Parsed>;

/** A policy that cannot be used; the message names file, line and remedy. */
export class PolicyError extends FerrymanError {
  constructor(problem: string, cause?: unknown) {
    super('POLICY', `host policy ${problem}`, { cause });
  }
}

/** Checks a policy given as an object and fills in the defaults. Throws PolicyError. */
export function hostPolicy(settings: unknown): HostPolicy {
  const parsed = policySchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'as a whole'}: ${message}`,
  );
  throw new PolicyError(problems.join('; '));
}

/** Reads and checks a YAML policy file. Throws PolicyError. */
export function loadPolicy(path: string): HostPolicy {
  try {
    return readConfig(path, {}, policySchema, []);
  } catch (error) {
    if (error instanceof ConfigError) throw new PolicyError(error.message, error);
    throw error;
  }
}

/** A policy that can be replaced under those who hold it: they always read the one in force. */
export interface LivePolicy {
  readonly policy: HostPolicy;
  replace(next: HostPolicy): void;
}

/** Begins with `first`. Whoever copies fields out of `policy` keeps old ones. */
export function livePolicy(first: HostPolicy): LivePolicy {
  let current = first;
  const fields = Object.keys(policySchema.shape) as (keyof HostPolicy)[];
  const getters = fields.map(
    (field) => [field, { enumerable: true, get: () => current[field] }] as const,
  );
  return {
    policy: Object.defineProperties({}, Object.fromEntries(getters)) as HostPolicy,
    replace: (next) => {
      current = next;
    },
  };
}

/** Whether `next` forbids what `before` may have let happen to a VM that is held back now. */
export function isTighter(next: HostPolicy, before: HostPolicy): boolean {
  return next.mode !== before.mode || next.maxThrottlePercent < before.maxThrottlePercent;
}

/** The policy of `ferryman run`: the operator on the command line is the administrator. */
export function standalonePolicy(
  settings: Pick<Partial<Parsed>, 'destinationCommand' | 'postCopy' | 'maxThrottlePercent'> = {},
): HostPolicy {
  return hostPolicy({ ...settings, migrationPorts: { first: 1, last: 65_535 } });
}
