/** The host's own policy: what its administrator lets any brain do here. It can only tighten. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { FerrymanError, messageOf } from '../shared/errors.ts';

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
  /** Shell command that starts a fresh destination QEMU; see agent/destination.ts. */
  destinationCommand: z.string().min(1).optional(),
  /** Hosts that guest memory may be sent to; absent means any. */
  destinationHosts: z.array(z.string().min(1)).optional(),
  /** TCP ports that migration streams may use; the default is libvirt's range. */
  migrationPorts: z
    .strictObject({ first: port, last: port })
    .refine(({ first, last }) => first <= last, 'first must not be above last')
    .default({ first: 49_152, last: 49_215 }),
  /** cgroup v2 only: the delegated subtree in which groups may be made, e.g. `/machine.slice`. */
  cgroupDelegation: z.string().startsWith('/').optional(),
});

type Parsed = z.infer<typeof policySchema>;

/** What this host allows; every number is a bound that commands are clamped to. */
export type HostPolicy = Readonly<Parsed>;

/** A policy file that cannot be used; the message names the file, the place and the remedy. */
export class PolicyError extends FerrymanError {
  constructor(path: string, problem: string, cause?: unknown) {
    super('POLICY', `host policy ${path}: ${problem}`, { cause });
  }
}

/** Checks a policy given as an object and fills in the defaults. Throws PolicyError naming `origin`. */
export function hostPolicy(settings: unknown, origin = '(built in)'): HostPolicy {
  const parsed = policySchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`,
  );
  throw new PolicyError(origin, `${problems.join('; ')}. Correct it and start the agent again`);
}

/** Reads and checks a YAML policy file. Throws PolicyError. */
export function loadPolicy(path: string): HostPolicy {
  let settings: unknown;
  try {
    settings = parse(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    throw new PolicyError(path, `cannot be read: ${messageOf(error)}`, error);
  }
  return hostPolicy(settings, path);
}

/** The policy of `ferryman run`: the operator on the command line is the administrator. */
export function standalonePolicy(
  settings: Pick<Partial<Parsed>, 'destinationCommand' | 'postCopy' | 'maxThrottlePercent'> = {},
): HostPolicy {
  return hostPolicy({ ...settings, migrationPorts: { first: 1, last: 65_535 } });
}
