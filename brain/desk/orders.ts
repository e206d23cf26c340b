/** What operators may write to the desk, field by field. */
import * as z from 'zod';

const text = z.string().min(1).max(4096);
const bytesPerSecond = z.number().positive().max(1e12);

/** What is left out is as configured for the VM, else as in `ferryman run`. */
export const objective = z.strictObject({
  downtimeLimitMilliseconds: z.number().min(10).max(2_000_000).exactOptional(),
  maxThrottlePercent: z.number().min(0).max(99).exactOptional(),
  throttle: z.enum(['auto', 'qemu', 'cgroup']).exactOptional(),
  ioSensitive: z.boolean().exactOptional(),
  deadlineMilliseconds: z.number().min(1_000).max(86_400_000).exactOptional(),
  postCopy: z.enum(['never', 'last-resort']).exactOptional(),
  maxBandwidthBytesPerSecond: bytesPerSecond.exactOptional(),
  linkBandwidthBytesPerSecond: bytesPerSecond.exactOptional(),
});
export type GivenObjective = z.infer<typeof objective>;

const id = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .optional();
const common = { id, policy: text.optional(), objective: objective.prefault({}) };

const vm = z.strictObject({ host: text, selector: text });

/** Two QEMUs and a port, all named. */
export const pairOrder = z.strictObject({
  ...common,
  source: vm,
  destination: vm,
  endpoint: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('tcp'), host: text, port: z.int().min(1).max(65_535) }),
    z.strictObject({ kind: z.literal('unix'), path: text }),
  ]),
});
export type PairOrder = z.infer<typeof pairOrder>;

const wish = {
  vm: text,
  to: text,
  from: text.optional(),
  sharedStorage: z.boolean().optional(),
};

/** This VM to that host: the brain finds both, and a port. */
export const wishOrder = z.strictObject({ ...common, ...wish });
export type WishOrder = z.infer<typeof wishOrder>;

export const checkOrder = z.strictObject(wish);

export const predictOrder = z.strictObject({
  vm: text,
  to: text.optional(),
  from: text.optional(),
  objective: objective.prefault({}),
});

/** A migration by its id, or the latest of a VM. */
export const showOrder = z.strictObject({ migration: text });

export const abortOrder = z.strictObject({
  id: text,
  reason: text.default('ordered by the operator'),
});

export const holdOrder = z.strictObject({
  vm: text,
  reason: text.max(1024).default('held by an operator'),
});

export const releaseOrder = z.strictObject({ vm: text });
