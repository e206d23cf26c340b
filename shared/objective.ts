/** What the VM's owner allows during a migration. The agent's host policy can only tighten it. */
export interface Objective {
  readonly downtimeLimitMilliseconds: number;
  readonly maxThrottlePercent: number;
  readonly throttle: 'auto' | 'qemu' | 'cgroup';
  readonly ioSensitive: boolean;
  readonly deadlineMilliseconds: number;
  readonly postCopy: 'never' | 'last-resort';
  /** A cap on migration traffic; absent means no cap of ours. */
  readonly maxBandwidthBytesPerSecond?: number;
  /** What the link gives, as the operator knows it. */
  readonly linkBandwidthBytesPerSecond?: number;
}

/** design.md 3: the defaults of `ferryman run`. */
export const defaultObjective: Objective = {
  downtimeLimitMilliseconds: 300,
  maxThrottlePercent: 90,
  throttle: 'auto',
  ioSensitive: false,
  deadlineMilliseconds: 600_000,
  postCopy: 'never',
};
